#!/usr/bin/env node
// node cli.js picture.png 7 [model.onnx]
import { fileURLToPath } from "node:url";
import { Adder } from "./adder.js";

const [picture, number, model = fileURLToPath(new URL("../../artifacts/classify.onnx", import.meta.url))] =
  process.argv.slice(2);
try {
  if (number === undefined) throw new Error("wanted a picture and a number: node cli.js picture.png 7");
  const adder = await Adder.load(model);
  const answer = await adder.predict(picture, /^\d+$/.test(number) ? Number(number) : NaN);
  if (answer.digit < 0) throw new Error(`${picture} shows nothing to read`);
  const sure = Math.floor(1e4 * Math.min(answer.confidence, 0.9999)) / 100; // rounding must not make it a certainty
  console.log(`${answer.digit} + ${number} = ${answer.sum} (${sure.toFixed(2)}% sure)`);
} catch (error) {
  console.error(`adder: ${error.message.split("\n")[0]}`);
  process.exitCode = 1;
}
