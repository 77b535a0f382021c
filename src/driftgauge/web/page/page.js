"use strict";
// The server writes the page; this fetches it again and changes what differs, node by node.
const EVERY = 5000;
const main = document.querySelector("main");
const state = document.querySelector("#state");
let here = main.dataset.here;
let asked = 0;
let answered = 0;

const attributes = (from, to) => {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  for (const { name, value } of to.attributes) {
    if (name !== "open" && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
};
const same = (one, other) => one.nodeName === other.nodeName && (one.id || "") === (other.id || "");
const become = (from, to) => {
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  attributes(from, to);
  if (from.nodeName === "INPUT") return;
  const wanted = [...to.childNodes];
  for (const [place, node] of wanted.entries()) {
    let current = from.childNodes[place];
    if (current && !same(current, node)) {
      // What comes back further down stands here now; what is between has gone.
      const later = node.id && [...from.children].find((child) => same(child, node));
      if (later) from.insertBefore(later, current), (current = later);
      else from.insertBefore(document.importNode(node, true), current);
    }
    if (!current) from.append(document.importNode(node, true));
    else if (same(current, node)) become(current, node);
  }
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
};

const show = async (address) => {
  const turn = (asked += 1);
  try {
    const answer = await fetch(location.pathname + address, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== asked) return; // the reader has moved on
    become(main, fresh.querySelector("main"));
    become(state, fresh.querySelector("#state"));
    here = main.dataset.here;
  } catch (error) {
    if (turn === asked) state.textContent = "no answer; trying again";
  } finally {
    answered = Math.max(answered, turn);
  }
};
const go = (address) => {
  history.replaceState(null, "", address);
  here = address.split("#")[0];
  return show(here);
};

document.addEventListener("click", async (event) => {
  const link = event.target.closest("main a");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !plain || !link.getAttribute("href").startsWith("?")) return;
  event.preventDefault();
  await go(link.getAttribute("href"));
  const target = link.hash && document.querySelector("#feature");
  if (target && getComputedStyle(target).position === "static") target.scrollIntoView({ block: "start" });
});
let typing;
const search = (form) => go("?" + new URLSearchParams(new FormData(form)));
document.addEventListener("input", (event) => {
  if (event.target.id !== "search") return;
  clearTimeout(typing);
  typing = setTimeout(search, 150, event.target.form);
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search(event.target);
});
const refresh = async () => {
  // What the reader asked for comes first.
  if (answered === asked && !document.hidden && !String(getSelection())) await show(here);
  setTimeout(refresh, EVERY);
};
setTimeout(refresh, EVERY);
