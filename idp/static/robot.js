// "I'm not a robot": once the box is checked the browser works for a moment, and then it is, or a question comes below it.
// What is right is known to the server alone. Without JavaScript a page of its own asks the questions.
(() => {
  "use strict";

  const NEAR = 60; // seconds before the end at which more time is offered
  const box = document.querySelector("[data-robot]");
  if (!box) return;
  const form = box.closest("form");
  const find = (selector) => box.querySelector(selector);
  const [tick, answer, state, live] = ["#robot", "[name=robot_answer]", "#robot-state", "[data-live]"].map(find);
  const [questions, question, squares, sound] = ["[data-questions]", "#robot-question", "[data-squares]", "[data-sound]"].map(find);
  const [time, heard] = ["[data-time]", "#robot-heard"].map(find);
  const words = find("[data-words]").dataset;
  const timers = [];
  let check = ""; // the answer of the check under way; it goes into the form once it is good
  let turn = 0; // which check that is: what still comes for an earlier one is left alone
  let busy = Promise.resolve(); // squares are chosen one after the other
  let isReplacing = false;
  let isSending = false; // Log In was pressed while the browser was working

  class Refused extends Error {}

  async function ask(name, fields) {
    const body = new URLSearchParams(fields);
    body.append("csrf_token", form.elements.csrf_token.value);
    const sent = await fetch(box.dataset[name], { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await sent.json();
    if (!sent.ok) throw Object.assign(new Refused(told.words), { isOver: sent.status !== 503 });
    if (told.seconds) await keepTime(told.seconds);
    return told;
  }

  function say(text) {
    state.textContent = text;
  }

  function keepTime(seconds) {
    timers.splice(0).forEach(clearTimeout);
    time.hidden = true;
    timers.push(setTimeout(() => {
      time.hidden = false;
      find("[data-time-words]").textContent = words.near;
    }, Math.max(0, seconds - NEAR) * 1000));
    timers.push(setTimeout(() => reset(words.over), seconds * 1000));
  }

  function reset(text) {
    turn += 1;
    timers.splice(0).forEach(clearTimeout);
    time.hidden = questions.hidden = true;
    tick.checked = tick.indeterminate = false;
    tick.removeAttribute("aria-busy");
    check = answer.value = "";
    isSending = false;
    say(text);
  }

  // What went wrong is said, and leaves a question standing only where the same can be asked again.
  function fail(error) {
    if (error instanceof Refused && !error.isOver && !questions.hidden) live.textContent = error.message;
    else reset(error instanceof Refused ? error.message : words.failed);
  }

  function work(challenge) {
    return new Promise((resolve) => {
      const worker = new Worker(box.dataset.worker);
      const end = (payload) => {
        worker.terminate();
        resolve(payload);
      };
      worker.addEventListener("message", ({ data }) => end(data.payload));
      worker.addEventListener("error", () => end(null));
      worker.postMessage(challenge);
    });
  }

  async function begin() {
    reset(words.working);
    box.classList.remove("has-error"); // it was about a box that was not checked
    find("#robot-error")?.remove();
    tick.classList.remove("is-invalid");
    tick.removeAttribute("aria-invalid");
    tick.setAttribute("aria-describedby", "robot-state");
    const mine = turn;
    tick.checked = tick.indeterminate = true; // as it was clicked; the dash says that it is not certain yet
    tick.setAttribute("aria-busy", "true");
    const begun = await ask("begin", { purpose: box.dataset.purpose, level: box.dataset.level });
    const payload = await work(begun.work);
    if (mine !== turn) return;
    check = begun.answer;
    // A browser that can't work answers questions instead.
    const told = payload ? await ask("work", { answer: check, payload }) : await ask("task", { answer: check, sort: "pictures" });
    if (mine === turn) goOn(told);
  }

  function goOn(told) {
    tick.removeAttribute("aria-busy");
    if (told.checked) finish();
    else show(told.task);
  }

  function finish() {
    const wasAsked = !questions.hidden;
    questions.hidden = true;
    tick.indeterminate = false;
    tick.checked = true;
    answer.value = check;
    say(words.checked);
    if (isSending) form.requestSubmit();
    else if (wasAsked) tick.focus();
  }

  function show(task) {
    isSending = tick.checked = false;
    isReplacing = Boolean(task.replacing);
    say(words.question);
    find("[data-counter]").textContent = task.counter;
    question.textContent = task.question;
    live.textContent = task.again ? words.again : "";
    find("[data-hint=replacing]").hidden = !task.tiles || !isReplacing;
    find("[data-hint=choosing]").hidden = !task.tiles || isReplacing;
    squares.hidden = find(".robot-credit").hidden = !task.tiles;
    find("[data-another=pictures]").textContent = task.tiles ? words.otherPictures : words.pictures;
    find("[data-another=spoken]").textContent = task.audio ? words.otherDigits : words.spoken;
    sound.hidden = !task.audio;
    squares.replaceChildren(...(task.tiles ?? []).map((tile, index) => square(tile, index, task.tiles.length)));
    heard.value = "";
    if (task.audio) {
      const player = sound.querySelector("audio");
      [player.lang, player.src] = [task.spokenIn, task.audio];
    }
    questions.hidden = false;
    question.focus();
  }

  function square(tile, index, all) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "robot-square";
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", words.square.replace("{number}", index + 1).replace("{all}", all));
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = tile;
    button.append(picture);
    button.addEventListener("click", () => press(button, index));
    return button;
  }

  function press(button, index) {
    if (!isReplacing) {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      return;
    }
    if (button.getAttribute("aria-pressed") === "true") return; // it is on its way out
    button.setAttribute("aria-pressed", "true");
    busy = busy.then(() => exchange(button, index)).catch(fail);
  }

  async function exchange(button, index) {
    try {
      const { tile } = await ask("choose", { answer: check, square: index });
      button.querySelector("img").src = tile;
      live.textContent = words.replaced.replace("{number}", index + 1);
    } finally {
      button.setAttribute("aria-pressed", "false");
    }
  }

  async function verify() {
    await busy;
    if (questions.hidden) return;
    const fields = new URLSearchParams({ answer: check });
    if (sound.hidden) {
      [...squares.children].forEach((button, index) => {
        if (button.getAttribute("aria-pressed") === "true") fields.append("square", index);
      });
    } else {
      fields.append("heard", heard.value);
    }
    goOn(await ask("answer", fields));
  }

  async function another(sort) {
    await busy;
    goOn(await ask("task", { answer: check, sort }));
  }

  // One thing at a time: a second press while the first is on its way does nothing.
  function once(act) {
    let isUnderWay = false;
    return async (...given) => {
      if (isUnderWay) return;
      isUnderWay = true;
      try {
        await act(...given);
      } catch (error) {
        fail(error);
      } finally {
        isUnderWay = false;
      }
    };
  }

  const [start, confirm, change] = [once(begin), once(verify), once(another)];
  tick.addEventListener("change", () => {
    if (tick.checked) start();
    else reset("");
  });
  find("[data-verify]").addEventListener("click", confirm);
  box.querySelectorAll("[data-another]").forEach((button) => button.addEventListener("click", () => change(button.dataset.another)));
  find("[data-more-time]").addEventListener("click", once(() => ask("extend", { answer: check || answer.value })));
  heard.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it would send the log-in form
    confirm();
  });
  form.addEventListener("submit", (event) => {
    if (tick.indeterminate && questions.hidden) {
      event.preventDefault();
      isSending = true;
    } else if (!questions.hidden) {
      event.preventDefault();
      question.focus();
    }
  });

  if (answer.value) keepTime(Number(box.dataset.seconds));
  else if (tick.checked) start(); // before this script came; or a browser brings the tick back, and not the answer
})();
