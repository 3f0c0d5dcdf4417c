// adder picture.ppm 7 [model.onnx]: the digit in a picture and its sum with a number.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "adder.hpp"

struct Picture {
    std::vector<std::uint8_t> pixels;
    ov::Shape shape;
};

// A binary PGM or PPM file of 8 bits.
Picture read_netpbm(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string kind;
    std::size_t width = 0, height = 0, most = 0;
    file >> kind >> width >> height >> most;
    file.get();
    if (!file || (kind != "P5" && kind != "P6") || most != 255 || width * height == 0 || width * height > 100'000'000)
        throw std::runtime_error(path + " is no binary PGM or PPM file of 8 bits");
    Picture picture{{}, {1, height, width, kind == "P6" ? 3u : 1u}};
    picture.pixels.resize(ov::shape_size(picture.shape));
    file.read(reinterpret_cast<char*>(picture.pixels.data()), static_cast<std::streamsize>(picture.pixels.size()));
    if (!file) throw std::runtime_error(path + " ends before its last pixel");
    return picture;
}

int main(int count, char** words) {
    try {
        const std::string number = count > 2 ? words[2] : "";
        if (count < 3 || count > 4 || number.size() != 1 || number[0] < '0' || number[0] > '9')
            throw std::runtime_error("wanted a picture and a number from 0 to 9: adder picture.ppm 7 [model.onnx]");
        const Picture picture = read_netpbm(words[1]);
        Adder adder(count > 3 ? words[3] : MODEL);
        auto found = adder.run(picture.pixels, picture.shape, {number[0] - '0'});
        const auto digit = found[ADDER_DIGIT].data<std::int32_t>()[0];
        if (digit == ADDER_UNREAD) throw std::runtime_error(std::string(words[1]) + " shows nothing to read");
        // rounding must not make it a certainty
        const float sure = std::floor(1e4f * std::min(found[ADDER_CONFIDENCE].data<float>()[0], 0.9999f)) / 100;
        std::printf("%d + %s = %d (%.2f%% sure)\n", digit, number.c_str(), found[ADDER_SUM].data<std::int32_t>()[0], sure);
    } catch (const std::exception& error) {
        const std::string all = error.what();
        std::cerr << "adder: " << all.substr(0, all.find('\n')) << "\n";
        return 1;
    }
}
