// What does this browser remember? Colours, and whether keys are shortcuts; the menu of narrow screens.
export const shortcutsOn = () => localStorage.getItem("shortcuts") !== "off";

export function startPreferences() {
  const themes = [...document.querySelectorAll("input[name=theme]")];
  const showTheme = () => { for (const choice of themes) choice.checked = choice.value === (localStorage.getItem("theme") ?? "system"); };
  showTheme();
  for (const choice of themes) {
    choice.addEventListener("change", () => {
      localStorage.setItem("theme", choice.value);
      if (choice.value === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = choice.value;
      showTheme();
    });
  }
  const keys = [...document.querySelectorAll("[data-shortcuts]")];
  const showKeys = () => {
    for (const one of keys) one.checked = shortcutsOn();
    if (keys.length) document.documentElement.classList.toggle("no-keys", !shortcutsOn());
  };
  showKeys();
  for (const one of keys) {
    one.addEventListener("change", () => {
      localStorage.setItem("shortcuts", one.checked ? "on" : "off");
      showKeys();
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
