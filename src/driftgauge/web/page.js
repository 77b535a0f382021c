"use strict";
const opened = () => new Set([...document.querySelectorAll("details[open]")].map((d) => d.id));
const refresh = async () => {
  if (!document.hidden && !String(getSelection())) {
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const kept = opened();
      for (const details of fresh.querySelectorAll("details")) details.open = kept.has(details.id);
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      document.querySelector("#state").replaceWith(fresh.querySelector("#state"));
    } catch (error) {
      document.querySelector("#state").textContent = "no answer; trying again";
    }
  }
  setTimeout(refresh, 5000);
};
setTimeout(refresh, 5000);
