// The digit in a picture, and its sum with a number, from a model file of adder-edge.
import * as ort from "onnxruntime-node";
import sharp from "sharp";

const INPUTS = ["image", "number"];
const OUTPUTS = ["digit", "sum", "confidence", "consistent", "digit_probabilities", "sum_scores", "box", "ink"];

export class Adder {
  static async load(model) {
    const session = await ort.InferenceSession.create(model, {
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    if (String(session.inputNames) !== String(INPUTS) || String(session.outputNames) !== String(OUTPUTS)) {
      throw new Error(`${model} is not an adder model: it takes ${session.inputNames}, wanted ${INPUTS}`);
    }
    return new Adder(session);
  }

  constructor(session) {
    this.session = session;
  }

  async predict(picture, number) {
    if (!Number.isInteger(number) || number < 0 || number > 9) {
      throw new RangeError(`number is ${number}, must be a whole number from 0 to 9`);
    }
    const { data, height, width, channels } = picture.data ? picture : await decode(picture);
    const out = await this.run(data, [1, height, width, channels], Int32Array.of(number));
    return {
      digit: out.digit.data[0],
      sum: out.sum.data[0],
      confidence: out.confidence.data[0],
      consistent: Boolean(out.consistent.data[0]),
      digitProbabilities: out.digit_probabilities.data,
      sumScores: out.sum_scores.data,
      box: out.box.data,
      ink: out.ink.data,
    };
  }

  /** The file's own outputs for a batch: pixels, their shape [batch, height, width, channels], and the numbers. */
  run(data, shape, number) {
    return this.session.run({
      image: new ort.Tensor("uint8", data, shape),
      number: new ort.Tensor("int32", number, [shape[0]]),
    });
  }
}

async function decode(picture) {
  const { data, info } = await sharp(picture)
    .rotate() // as the camera was held
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return { data, height: info.height, width: info.width, channels: info.channels };
}
