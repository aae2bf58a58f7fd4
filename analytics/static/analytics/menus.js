// Menus that open below a button: a click beside them closes them, and so does Escape.

const OPEN = "details.analytics-custom[open]";

document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll(OPEN)) {
    if (!menu.contains(target)) menu.open = false;
  }
});

document.addEventListener("keydown", ({ key }) => {
  const menu = key === "Escape" ? document.querySelector(OPEN) : null;
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
