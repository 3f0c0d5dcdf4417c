/** What a model file answers to one picture and one number; the names are those of the file's outputs. */
export interface Answer {
  /** 0 to 9; -1 where there is nothing to read. */
  digit: number;
  /** number to number + 9; -1 where `digit` is -1 or the number is not 0 to 9. */
  sum: number;
  /** Calibrated probability that `sum` is right, 0 to 1; 0 where it is -1. */
  confidence: number;
  /** sum === digit + number. */
  consistent: boolean;
  /** Of the digits 0 to 9. */
  digitProbabilities: Float32Array;
  /** classify: probabilities of the sums 0 to 18. regress: the one unrounded sum. */
  sumScores: Float32Array;
  /** Top, left, bottom, right of the ink, in pixels of the picture. */
  box: Float32Array;
  /** 28x28 row by row: what the network saw, 0 = paper, 1 = full stroke. */
  ink: Float32Array;
}

/** Raw pixels, row by row: grey, grey and alpha, RGB or RGBA. */
export interface Pixels {
  data: Uint8Array;
  height: number;
  width: number;
  channels: 1 | 2 | 3 | 4;
}

export declare class Adder {
  /** Loads a model file; rejects where it is none of this contract. */
  static load(model: string): Promise<Adder>;
  /** The answer to raw pixels, or to whatever sharp decodes: a path, or the bytes of a picture file. */
  predict(picture: Pixels | string | Uint8Array, number: number): Promise<Answer>;
}
