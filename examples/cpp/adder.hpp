// A model file of adder-edge in OpenVINO: raw pixels and numbers in, the digit and the sum out.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <openvino/openvino.hpp>

#include "adder_edge.h"

class Adder {
public:
    // Throws std::runtime_error where the file cannot be loaded, or takes other inputs.
    explicit Adder(const std::string& path) {
        ov::Core core;
        try {
            // OpenVINO may take bfloat16 on a processor that has it, and the answers are to be PyTorch's
            request = core.compile_model(path, "CPU", ov::hint::inference_precision(ov::element::f32),
                                         ov::inference_num_threads(1))
                          .create_infer_request();
        } catch (const ov::Exception&) {
            throw std::runtime_error(path + " cannot be loaded; wanted a model file of adder-edge");
        }
        const auto inputs = request.get_compiled_model().inputs();
        if (inputs.size() != 2 || inputs[0].get_any_name() != ADDER_IMAGE || inputs[1].get_any_name() != ADDER_NUMBER)
            throw std::runtime_error(path + " is not an adder model: its inputs are not image and number");
        // OpenVINO 2026.4 misreads a picture of fewer than 12 pixels on a side if all that it was asked before were in
        // MNIST's form: one question about a blank picture of another size mends that for good
        run(std::vector<std::uint8_t>(40 * 40), {1, 40, 40, 1}, {0});
    }

    // The outputs by name; they last until the next call.
    // pixels: row by row, shape {batch, height, width, channels}; a number for each picture.
    std::map<std::string, ov::Tensor> run(const std::vector<std::uint8_t>& pixels, const ov::Shape& shape,
                                          const std::vector<std::int32_t>& number) {
        if (pixels.size() != ov::shape_size(shape) || number.size() != shape[0])
            throw std::runtime_error("pixels and numbers do not fit the shape");
        request.set_tensor(ADDER_IMAGE, ov::Tensor(ov::element::u8, shape, const_cast<std::uint8_t*>(pixels.data())));
        request.set_tensor(ADDER_NUMBER, ov::Tensor(ov::element::i32, {number.size()},
                                                const_cast<std::int32_t*>(number.data())));
        request.infer();
        std::map<std::string, ov::Tensor> found;
        for (const auto& output : request.get_compiled_model().outputs())
            found[output.get_any_name()] = request.get_tensor(output);
        return found;
    }

private:
    ov::InferRequest request;
};
