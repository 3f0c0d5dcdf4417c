// conformance ARTIFACTS [MODEL] [--json]: holds OpenVINO to PyTorch's answers.
// What the vectors hold is told in artifacts/conformance/README.md.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>

#include <nlohmann/json.hpp>

#include "adder.hpp"

using nlohmann::json;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

// A word of 4 bytes, least significant first, as the machine holds it.
template <class Word>
Word word(const std::string& data, std::size_t at) {
    std::uint32_t bits = 0;
    for (int place = 3; place >= 0; --place) bits = bits << 8 | static_cast<std::uint8_t>(data.at(at + place));
    Word value;
    std::memcpy(&value, &bits, 4);
    return value;
}

// How much of its tolerance an output uses up; above 1 it fails.
double share(const ov::Tensor& got, const std::string& data, std::size_t at, std::size_t count, double limit) {
    if (got.get_size() != count) return std::numeric_limits<double>::infinity();
    double largest = 0;
    for (std::size_t place = 0; place < count; ++place) {
        double off;
        if (got.get_element_type() == ov::element::f32)
            off = std::abs(double(got.data<float>()[place]) - word<float>(data, at + 4 * place));
        else if (got.get_element_type() == ov::element::i32)
            off = std::abs(double(got.data<std::int32_t>()[place]) - word<std::int32_t>(data, at + 4 * place));
        else
            off = std::abs(double(static_cast<const char*>(got.data())[place] != 0) -
                           word<std::int32_t>(data, at + 4 * place));
        largest = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(largest, off);
    }
    if (limit > 0) return largest / limit;
    return largest == 0 ? 0 : std::numeric_limits<double>::infinity();
}

int main(int count, char** words) {
    try {
        if (count < 2) throw std::runtime_error("wanted the folder artifacts: conformance ../../artifacts [classify]");
        const std::string artifacts = words[1], name = count > 2 && words[2][0] != '-' ? words[2] : "classify";
        const std::string approach = name.substr(0, name.find('.'));
        const std::string precision = approach == name ? "fp32" : name.substr(approach.size() + 1);
        const auto index = json::parse(read_file(artifacts + "/conformance/index.json"));
        const auto data = read_file(artifacts + "/conformance/" + index["data"].get<std::string>());
        const auto& limits = index["tolerances"][approach][precision];
        Adder adder(artifacts + "/" + name + ".onnx");
        double worst = 0;
        std::size_t passed = 0;
        std::string failure;
        const auto ask = [&](const json& each, std::int32_t fixed = -1) {
            const ov::Shape shape = each["shape"].get<std::vector<std::size_t>>();
            const auto begin = data.begin() + each["image"].get<std::ptrdiff_t>();
            std::vector<std::int32_t> number;
            for (std::size_t row = 0; row < shape[0]; ++row)
                number.push_back(fixed >= 0 ? fixed : word<std::int32_t>(data, each["number"].get<std::size_t>() + 4 * row));
            return adder.run({begin, begin + static_cast<std::ptrdiff_t>(ov::shape_size(shape))}, shape, number);
        };
        for (const auto& each : index["cases"]) {
            const double longer = std::max(each["shape"][1].get<double>(), each["shape"][2].get<double>());
            double most = 0;
            std::string which;
            try {
                auto found = ask(each);
                std::size_t at = each[approach], batch = each["shape"][0];
                const auto compare = [&](const std::string& output, std::size_t size, std::size_t from) {
                    const double limit = limits.value(output, 0.0) * (output == "box" ? longer : 1);
                    const double used = share(found[output], data, from, batch * size, limit);
                    if (used >= most) most = used, which = output;
                };
                for (const auto& output : index["outputs"][approach]) {
                    std::size_t size = 1;
                    for (const auto& side : output["shape"]) size *= side.get<std::size_t>();
                    compare(output["name"], size, at);
                    at += 4 * batch * size;
                }
                if (each.contains("ink")) compare("ink", 28 * 28, each["ink"]);
            } catch (const std::exception& error) {
                most = std::numeric_limits<double>::infinity(), which = error.what();
            }
            worst = std::max(worst, most);
            if (most <= 1) ++passed;
            else if (failure.empty()) failure = each["shape"].dump() + ": " + which.substr(0, which.find('\n'));
        }
        std::vector<double> times;
        const auto& small = *std::find_if(index["cases"].begin(), index["cases"].end(),
                                          [](const json& each) { return each["shape"] == json{1, 28, 28, 1}; });
        for (int turn = 0; turn < 50; ++turn) {
            const auto began = std::chrono::steady_clock::now();
            ask(small, 7);
            times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
        }
        std::sort(times.begin(), times.end());
        const std::string version = ov::get_openvino_version().buildNumber;
        const json told = {{"runtime", "OpenVINO, C++"},
                           {"version", version.substr(0, version.find('-'))},
                           {"model", name + ".onnx"},
                           {"cases", index["cases"].size()},
                           {"passed", passed},
                           {"worst", worst},
                           {"ms", times[times.size() / 2]},
                           {"first_failure", failure.empty() ? json() : json(failure)}};
        std::cout << told.dump() << std::endl;
        return passed == index["cases"].size() ? 0 : 1;
    } catch (const std::exception& error) {
        const std::string all = error.what();
        std::cerr << "conformance: " << all.substr(0, all.find('\n')) << "\n";
        return 1;
    }
}
