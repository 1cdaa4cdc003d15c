// Shows a password in place and hides it again. Without this script the form loads a page instead.
"use strict";

const form = document.getElementById("reveal-form");
const button = document.getElementById("reveal");
const output = document.getElementById("revealed");
const SHOWN_FOR_MS = 30000;
let timer;

function hide() {
  clearTimeout(timer);
  output.textContent = "";
  button.textContent = "Reveal";
}

function show(password) {
  output.textContent = password;
  button.textContent = "Hide";
  timer = setTimeout(hide, SHOWN_FOR_MS);
}

async function reveal() {
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(new FormData(form)),
  });
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  if (!answer.ok || !isJson) {
    location.reload();
    return;
  }
  show((await answer.json()).password);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (output.textContent === "") {
    reveal();
  } else {
    hide();
  }
});

if (output.textContent !== "") {
  show(output.textContent);
}
