/* The contract of the model files of adder-edge, for C and C++: written from it by `make readme`. */
#ifndef ADDER_EDGE_H
#define ADDER_EDGE_H

#define ADDER_CONTRACT_VERSION "2"

/* Inputs */
#define ADDER_IMAGE "image" /* uint8 [batch, height, width, channels]: raw pixels, any size, 1 to 4 channels (grey, grey and alpha, RGB, RGBA), any polarity */
#define ADDER_NUMBER "number" /* int32 [batch]: the number to add, 0 to 9 */

/* Outputs */
#define ADDER_DIGIT "digit" /* int32 [batch]: 0 to 9; -1 where there is nothing to read */
#define ADDER_SUM "sum" /* int32 [batch]: number to number + 9; -1 where digit is -1 or number is not in 0 to 9 */
#define ADDER_CONFIDENCE "confidence" /* float32 [batch]: calibrated probability, 0 to 1, that sum is right; 0 where sum is -1 */
#define ADDER_CONSISTENT "consistent" /* bool [batch]: the two heads agree: sum == digit + number */
#define ADDER_DIGIT_PROBABILITIES "digit_probabilities" /* float32 [batch, 10]: softmax of the digit head, before calibration */
#define ADDER_SUM_SCORES "sum_scores" /* float32 [batch, 19] or [batch, 1]: the scores of both approaches */
/*   classify: softmax over the sums 0 to 18, before calibration, zero outside number to number + 9 */
/*   regress: the unrounded sum */
#define ADDER_BOX "box" /* float32 [batch, 4]: top, left, bottom, right of the ink in pixels of the picture; all of it where no ink was found */
#define ADDER_INK "ink" /* float32 [batch, 28, 28]: what the network sees, 0 = paper, 1 = full stroke */

/* Ranges */
#define ADDER_UNREAD (-1) /* the digit where there is nothing to read, the sum where there is none */
#define ADDER_LEAST_NUMBER 0
#define ADDER_LARGEST_NUMBER 9
#define ADDER_DIGIT_COUNT 10
#define ADDER_MOST_CHANNELS 4
#define ADDER_INK_SIDE 28

/* Keys of the file's metadata */
#define ADDER_KEY_CONTRACT "adder.contract" /* version of the contract */
#define ADDER_KEY_APPROACH "adder.approach" /* classify or regress */
#define ADDER_KEY_PRECISION "adder.precision" /* fp32, fp16 or int8: arithmetic of the network inside */
#define ADDER_KEY_NORMALIZER "adder.normalizer" /* version of the preprocessing inside: raised when the same pixels give another ink */
#define ADDER_KEY_TRAINING "adder.training" /* JSON: recipe, seed, epochs, versions, parameters, git revision */
#define ADDER_KEY_ACCURACY "adder.accuracy" /* JSON: what was measured, on how many pairs */
#define ADDER_KEY_LICENSE "adder.license" /* licence of the file and of the data */
#define ADDER_KEY_CHECKPOINT "adder.checkpoint.sha256" /* sha256 of the weights that the file was made of */

#endif
