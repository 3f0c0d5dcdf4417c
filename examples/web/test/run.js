// Uses the page in a real Chromium as people do, and keeps what it looked like: node test/run.js [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { serve } from "./serve.js";
import { strokes } from "./strokes.js";

const here = dirname(fileURLToPath(import.meta.url));
const shots = process.argv[2] ?? join(here, "../../../build/web");
const vectors = join(here, "../../../artifacts/conformance");
const index = JSON.parse(readFileSync(join(vectors, "index.json"), "utf8"));
const data = readFileSync(join(vectors, index.data));
const EACH = 3; // images of each digit that are drawn

mkdirSync(shots, { recursive: true });
const server = await serve(join(here, "../dist"), {
  "/vectors.js": join(here, "../../vectors.js"),
  "/index.json": join(vectors, "index.json"),
  "/vectors.bin": join(vectors, index.data),
});
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const origin = new URL(server.url).origin;

async function open(viewport, options = {}) {
  const page = await browser.newPage();
  await page.setViewport(viewport);
  if (options.dark) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !["blob:", "data:"].includes(url.protocol)) page.problems.push(`fetched ${url}`);
  });
  await page.goto(server.url);
  await ready(page);
  return page;
}

const ready = (page) => page.waitForFunction(() => document.documentElement.dataset.ready, { timeout: 60_000 });
const text = (page, id) => page.$eval(`#${id}`, (element) => element.textContent);
const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
/** Waits until the page has answered what was done last. */
async function settle(page) {
  await page.evaluate(() => new Promise((done) => setTimeout(done, 150)));
  await page.waitForFunction(() => !("busy" in document.documentElement.dataset), { timeout: 20_000 });
}
/** Waits until a part of the page says something, a text or a pattern. */
async function says(page, id, wanted, name = "") {
  const pattern = wanted instanceof RegExp ? wanted.source : `^${wanted.replace(/[+]/g, "\\+")}$`;
  const matches = (id, pattern) => new RegExp(pattern).test(document.getElementById(id).textContent);
  await page.waitForFunction(matches, { timeout: 10_000 }, id, pattern).catch(async () => {
    throw new Error(`${name} ${id} says "${await text(page, id)}", wanted ${pattern}`);
  });
}

async function draw(page, lines) {
  const box = await (await page.$("#pad")).boundingBox();
  for (const line of lines) {
    const points = line.map(([x, y]) => [box.x + (x / 28) * box.width, box.y + (y / 28) * box.height]);
    await page.mouse.move(...points[0]);
    await page.mouse.down();
    for (const point of points.length > 1 ? points.slice(1) : points) await page.mouse.move(...point);
    await page.mouse.up();
  }
  await settle(page);
}

/** Images of MNIST among the vectors, with the digit that PyTorch reads in each. */
function images() {
  const found = Array.from({ length: 10 }, () => []);
  for (const each of index.cases.filter(({ kind }) => kind === "mnist")) {
    const digit = data.readInt32LE(each.classify);
    if (digit >= 0 && found[digit].length < EACH) found[digit].push(data.subarray(each.image, each.image + 784));
  }
  return found;
}

const tests = {
  async "the first answer comes within a second of the load"() {
    const page = await open({ width: 1100, height: 900 });
    const took = [];
    for (let count = 0; count < 3; count++) {
      await page.reload();
      await ready(page);
      took.push(await page.evaluate(() => Number(document.documentElement.dataset.ready)));
    }
    console.log(`  ready after ${took.join(", ")} ms`);
    return page;
  },
  async "digits that people wrote are drawn and read"() {
    const page = await open({ width: 1100, height: 900 });
    let right = 0;
    const wrong = [];
    for (const [digit, some] of images().entries()) {
      for (const pixels of some) {
        await page.click("#clear").catch(() => {});
        await page.keyboard.press("Escape");
        await draw(page, strokes(pixels));
        const said = await text(page, "answer");
        if (said === `${digit} + 7 = ${digit + 7}`) right++;
        else wrong.push(`${digit}: ${said}`);
        if (digit === 3 && some.indexOf(pixels) === 0) await shot(page, "drawn");
      }
    }
    console.log(`  ${right} of ${10 * EACH} read as they were meant; ${wrong.join("; ")}`);
    assert.ok(right >= 0.9 * 10 * EACH, wrong.join("; "));
    return page;
  },
  async "undo, clear and another number"() {
    const page = await open({ width: 1100, height: 900 });
    const [one] = images()[1];
    await draw(page, strokes(one));
    await says(page, "answer", "1 + 7 = 8");
    await page.click("#numbers button:nth-child(3)");
    await settle(page);
    await says(page, "answer", "1 + 2 = 3");
    for (let count = strokes(one).length; count; count--) await page.click("#undo");
    await settle(page);
    await says(page, "answer", /Draw a digit/);
    return page;
  },
  async "a picture is opened, dropped and pasted"() {
    const page = await open({ width: 1100, height: 900 });
    const path = join(here, "../../three.png");
    await (await page.$("#file")).uploadFile(path);
    await settle(page);
    await says(page, "answer", "3 + 7 = 10");
    const bytes = readFileSync(path).toString("base64");
    for (const kind of ["drop", "paste"]) {
      await page.click("#clear");
      await page.evaluate(
        (kind, bytes) => {
          const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
          const held = new DataTransfer();
          held.items.add(new File([content], "three.png", { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(
            kind === "drop"
              ? new DragEvent("drop", { ...options, dataTransfer: held })
              : new ClipboardEvent("paste", { ...options, clipboardData: held }),
          );
        },
        kind,
        bytes,
      );
      await settle(page);
      await says(page, "answer", "3 + 7 = 10", kind);
    }
    await shot(page, "picture");
    return page;
  },
  async "what is no picture is told beside the pad"() {
    const page = await open({ width: 1100, height: 900 });
    await (await page.$("#file")).uploadFile(join(here, "run.js"));
    await settle(page);
    await says(page, "message", /run\.js is no picture/);
    await shot(page, "no-picture");
    return page;
  },
  async "the keyboard alone draws a one and adds five"() {
    const page = await open({ width: 1100, height: 900 });
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "pad");
    await page.keyboard.press("Space");
    for (let count = 0; count < 20; count++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("5");
    await settle(page);
    await says(page, "answer", "1 + 5 = 6");
    await shot(page, "keyboard");
    return page;
  },
  async "a phone shows it all, and a finger draws"() {
    const page = await open({ width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }, { dark: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, "it scrolls sideways");
    const box = await (await page.$("#pad")).boundingBox();
    const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];
    await page.touchscreen.touchStart(...at(0.5, 0.15));
    for (let y = 0.2; y <= 0.85; y += 0.05) await page.touchscreen.touchMove(...at(0.5, y));
    await page.touchscreen.touchEnd();
    await settle(page);
    await says(page, "answer", "1 + 7 = 8");
    await shot(page, "phone-dark");
    return page;
  },
  async "a pen that presses harder draws a thicker line"() {
    const page = await open({ width: 1100, height: 900 });
    const box = await (await page.$("#pad")).boundingBox();
    const session = await page.createCDPSession();
    const widths = [];
    for (const force of [0.1, 0.9]) {
      await page.keyboard.press("Escape");
      await page.click("#clear").catch(() => {});
      const pen = (type, y) =>
        session.send("Input.dispatchMouseEvent", {
          type, x: box.x + box.width / 2, y: box.y + y * box.height, button: "left", buttons: 1, pointerType: "pen", force,
        }); // prettier-ignore
      await pen("mousePressed", 0.2);
      for (let y = 0.25; y <= 0.8; y += 0.05) await pen("mouseMoved", y);
      await pen("mouseReleased", 0.8);
      await settle(page);
      await says(page, "answer", "1 + 7 = 8");
      widths.push(
        await page.$eval("#pad", (pad) => {
          const { data } = pad.getContext("2d").getImageData(0, pad.height / 2, pad.width, 1);
          return data.filter((value, place) => place % 4 === 0 && value < 128).length;
        }),
      );
    }
    console.log(`  ${widths.join(" and ")} pixels wide at a pressure of 0.1 and 0.9`);
    assert.ok(widths[0] > 5 && widths[1] > 1.5 * widths[0], widths.join(", "));
    return page;
  },
  async "it can be installed"() {
    const page = await open({ width: 600, height: 900 });
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    const session = await page.createCDPSession();
    const { errors, data } = await session.send("Page.getAppManifest");
    assert.deepEqual(errors, []);
    assert.equal(JSON.parse(data).display, "standalone");
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    assert.deepEqual(installabilityErrors, []);
    return page;
  },
  async "it answers without a network after the first visit"() {
    const page = await open({ width: 1100, height: 900 });
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await page.reload();
    await ready(page);
    await page.setOfflineMode(true);
    server.closeAllConnections();
    await page.reload();
    await ready(page);
    await draw(page, strokes(images()[1][0]));
    await says(page, "answer", "1 + 7 = 8");
    return page;
  },
  async "the policy lets nothing come from elsewhere"() {
    const page = await open({ width: 600, height: 900 });
    const blocked = await page.evaluate(() => fetch("https://example.com/").then(() => false, () => true));
    assert.equal(blocked, true);
    assert.ok(page.problems.some((line) => line.includes("Content Security Policy")));
    page.problems.length = 0;
    return page;
  },
  async "the conformance vectors pass in this browser"() {
    const page = await open({ width: 600, height: 900 });
    const found = await page.evaluate(async () => {
      const [{ load, version }, { run }] = await Promise.all([import("./adder.js"), import("./vectors.js")]);
      const [index, data] = await Promise.all([fetch("index.json"), fetch("vectors.bin")]);
      const adder = await load("classify.onnx");
      const bytes = new Uint8Array(await data.arrayBuffer());
      return { version, ...(await run(await index.json(), bytes, "classify", adder.run)) };
    });
    const told = { runtime: "ONNX Runtime, browser", model: "classify.onnx", ...found };
    writeFileSync(join(shots, "conformance.json"), JSON.stringify(told) + "\n");
    console.log(`  ${found.passed} of ${found.cases} cases, ${found.ms.toFixed(1)} ms a picture of 28x28`);
    assert.equal(found.passed, found.cases, found.first_failure);
    return page;
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (!name.includes(process.env.ONLY ?? "")) continue;
  try {
    const page = await test();
    assert.deepEqual(page.problems, []);
    await page.close();
    console.log(`passed: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}: ${error.message}`);
  }
}
await browser.close();
server.close();
server.closeAllConnections();
process.exitCode = failed ? 1 : 0;
