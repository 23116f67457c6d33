// Which colours does this browser want? Asked before the first paint, so that nothing flashes.
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
