// The page: what is drawn or opened goes to the model as raw pixels, and the answer follows.
import { load, version } from "./adder.js";
import { Pad } from "./pad.js";

const by = (id) => document.getElementById(id);
const SIDE = 28;
const LARGEST = 4096; // pixels on a side of a picture that is opened; larger ones are drawn smaller

let adder = null;
let opened = null; // pixels of a picture that was opened, in place of the pad's
let chosen = 0;
let waiting = false;
let running = false;

const pad = new Pad(by("pad"), () => {
  if (!pad.strokes.some((each) => each.picture)) opened = null;
  by("undo").disabled = by("clear").disabled = pad.isEmpty;
  ask();
});

/** Answers what is shown now; while an answer is on its way, only the newest change waits. */
async function ask() {
  if (!adder) return;
  if (running) {
    waiting = true;
    return;
  }
  running = true;
  document.documentElement.dataset.busy = "";
  do {
    waiting = false;
    try {
      await answer();
    } catch (error) {
      tell(`The network failed: ${error.message}`);
    }
  } while (waiting);
  running = false;
  delete document.documentElement.dataset.busy;
}

async function answer() {
  if (pad.isEmpty) {
    quiet("Draw a digit from 0 to 9.");
    drawSeen(new Float32Array(SIDE * SIDE));
    showBars(new Float32Array(10), -1);
    return;
  }
  const { data, width, height, channels } = opened ?? pad.pixels();
  const out = await adder.run(data, [1, height, width, channels], Int32Array.of(chosen));
  drawSeen(out.ink.data);
  const digit = out.digit.data[0];
  showBars(out.digit_probabilities.data, digit);
  if (digit < 0) {
    quiet("Nothing to read yet.");
    return;
  }
  by("answer").className = "";
  by("answer").textContent = `${digit} + ${chosen} = ${out.sum.data[0]}`;
  // rounding must not make it a certainty
  const sure = Math.floor(1000 * Math.min(out.confidence.data[0], 0.999)) / 10;
  by("sure").textContent = `${sure.toFixed(1)} % sure${out.consistent.data[0] ? "" : ", digit and sum disagree"}`;
}

function quiet(text) {
  by("answer").className = "quiet";
  by("answer").textContent = text;
  by("sure").textContent = "";
}

function tell(text) {
  by("message").textContent = text;
}

function drawSeen(ink) {
  const context = by("seen").getContext("2d");
  const picture = context.createImageData(SIDE, SIDE);
  ink.forEach((value, place) => {
    const grey = 255 * (1 - Math.min(Math.max(value, 0), 1));
    picture.data.set([grey, grey, grey, 255], 4 * place);
  });
  context.putImageData(picture, 0, 0);
}

function showBars(probabilities, digit) {
  for (const [place, row] of [...by("bars").rows].entries()) {
    const share = probabilities[place];
    row.querySelector("meter").value = share;
    row.querySelector(".share").textContent = `${Math.round(100 * share)} %`;
    row.className = place === digit ? "best" : "";
  }
}

function choose(number, focus = false) {
  chosen = number;
  for (const [place, button] of [...by("numbers").children].entries()) {
    button.setAttribute("aria-checked", String(place === number));
    button.tabIndex = place === number ? 0 : -1;
    if (focus && place === number) button.focus();
  }
  ask();
}

/** Reads a picture as a person sees it, turned as the camera was held. */
async function openPicture(blob) {
  tell("");
  let picture;
  try {
    picture = await createImageBitmap(blob);
  } catch {
    tell(`${blob.name || "That"} is no picture that this browser can read; wanted PNG, JPEG, WebP or the like.`);
    return;
  }
  const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  opened = { data: new Uint8Array(data.buffer), width, height, channels: 4 };
  pad.show(picture);
}

for (let number = 0; number < 10; number++) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "radio");
  button.textContent = String(number);
  button.addEventListener("click", () => choose(number));
  by("numbers").append(button);
  const row = by("bars").insertRow();
  row.innerHTML = `<th scope="row">${number}</th><td class="bar"><meter min="0" max="1" value="0"></meter></td>`;
  row.querySelector("meter").setAttribute("aria-label", `likelihood of ${number}`);
  row.insertCell().className = "share";
}
by("numbers").addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: 9, ArrowRight: 1, ArrowUp: 5, ArrowDown: 5 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  choose((chosen + steps[event.key]) % 10, true);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "z" && !pad.isEmpty) pad.undo();
  } else if (/^[0-9]$/.test(event.key)) choose(Number(event.key));
  else if (event.key === "Backspace" && !pad.isEmpty) pad.undo();
  else if ((event.key === "Delete" || event.key === "Escape") && !pad.isEmpty) pad.clear();
});
by("undo").addEventListener("click", () => pad.undo());
by("clear").addEventListener("click", () => {
  tell("");
  pad.clear();
});
for (const [button, input] of [["open", "file"], ["photo", "camera"]]) {
  by(button).addEventListener("click", () => by(input).click());
  by(input).addEventListener("change", (event) => {
    if (event.target.files[0]) openPicture(event.target.files[0]);
    event.target.value = "";
  });
}
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files][0];
  if (file) openPicture(file);
  else tell("There is no picture on the clipboard.");
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  by("pad").classList.add("over");
});
document.addEventListener("dragleave", () => by("pad").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  by("pad").classList.remove("over");
  if (event.dataTransfer.files[0]) openPicture(event.dataTransfer.files[0]);
});

choose(7);
showBars(new Float32Array(10), -1);
try {
  adder = await load(new URL("classify.onnx", import.meta.url));
  by("about").textContent = `classify.onnx by ONNX Runtime ${version}, on this device.`;
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
  ask();
} catch (error) {
  quiet("");
  tell(`The network cannot be loaded: ${error.message}`);
}
if ("serviceWorker" in navigator) navigator.serviceWorker.register("worker.js");
