// What does this browser remember? Colours, and whether keys are shortcuts; the menu of narrow screens.
export const shortcutsOn = () => localStorage.getItem("shortcuts") !== "off";

export function startPreferences() {
  const theme = localStorage.getItem("theme") ?? "system";
  for (const choice of document.querySelectorAll("input[name=theme]")) {
    choice.checked = choice.value === theme;
    choice.addEventListener("change", () => {
      localStorage.setItem("theme", choice.value);
      if (choice.value === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = choice.value;
    });
  }
  const keys = document.getElementById("shortcuts");
  if (keys) {
    keys.checked = shortcutsOn();
    const show = () => document.documentElement.classList.toggle("no-keys", !keys.checked);
    show();
    keys.addEventListener("change", () => {
      localStorage.setItem("shortcuts", keys.checked ? "on" : "off");
      show();
    });
  }
  const button = document.getElementById("menu-button");
  button?.addEventListener("click", () => {
    const open = document.documentElement.classList.toggle("menu-open");
    button.setAttribute("aria-expanded", String(open));
  });
  for (const opener of document.querySelectorAll("[data-open]")) {
    opener.addEventListener("click", () => document.getElementById(opener.dataset.open).showModal());
  }
}
