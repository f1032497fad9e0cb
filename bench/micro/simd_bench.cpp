#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "simd/kernels.hpp"
#include "simd/reference.hpp"
#include "simd/resize.hpp"
#include "simd_job.hpp"

/// Every kernel at the sizes it meets, on every instruction set of this CPU. Throughput is bytes
/// read and written by the kernel.
namespace fovea::simd {
namespace {

bool failed = false;
std::set<std::string> seen;  // kernels that have a row

}  // namespace

void add(const std::string& name, const std::function<Job()>& make) {
  std::stringstream kernels_of(name.substr(0, name.find('/')));
  for (std::string kernel; std::getline(kernels_of, kernel, '+');) seen.insert(kernel);
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    const Kernels* table = kernels(isa);
    if (table == nullptr) continue;
    benchmark::RegisterBenchmark((name + "/" + to_string(isa)).c_str(), [=](benchmark::State& s) {
      const Job job = make();
      job.run(*table);
      if (job.wrong()) {
        failed = true;
        s.SkipWithError("differs from the reference");
        return;
      }
      for (auto _ : s) {
        job.run(*table);
        benchmark::ClobberMemory();
      }
      s.SetBytesProcessed(static_cast<i64>(s.iterations()) * job.traffic);
    });
  }
}

namespace {

void add_channel_kernels() {
  for (const MapLayout layout :
       {MapLayout{2048, 49, 1}, MapLayout{2048, 49, 16}, MapLayout{2048, 49, 8},
        MapLayout{512, 784, 1}, MapLayout{512, 784, 16}, MapLayout{512, 196, 512}}) {
    const std::string size = std::to_string(layout.channels) + "x" +
                             std::to_string(layout.positions) + "_block" +
                             std::to_string(layout.block);
    const i64 n = layout.channels * layout.positions;
    add("channel_mean/" + size, [=] {
      auto src = std::make_shared<std::vector<float>>(floats(n));
      auto dst = std::make_shared<std::vector<float>>(layout.channels);
      return Job{[=](const Kernels& k) {
                   k.channel_mean(src->data(), layout, 0, layout.channels, dst->data());
                 },
                 [=] {
                   for (i64 c = 0; c < layout.channels; ++c)
                     if (differ((*dst)[static_cast<std::size_t>(c)],
                                reference::channel_mean(src->data(), layout, c), 1e-6))
                       return true;
                   return false;
                 },
                 n * 4};
    });
    add("weighted_channel_sum/" + size, [=] {
      auto src = std::make_shared<std::vector<float>>(floats(n));
      auto weights = std::make_shared<std::vector<float>>(floats(layout.channels, 2));
      auto dst = std::make_shared<std::vector<float>>(layout.positions);
      return Job{[=](const Kernels& k) {
                   k.weighted_channel_sum(src->data(), layout, weights->data(), 0, layout.positions,
                                          dst->data());
                 },
                 [=] {
                   for (i64 p = 0; p < layout.positions; ++p) {
                     double magnitude = 0;
                     const double want = reference::weighted_channel_sum(
                         src->data(), layout, weights->data(), p, &magnitude);
                     if (differ((*dst)[static_cast<std::size_t>(p)], want, 1e-6 * magnitude))
                       return true;
                   }
                   return false;
                 },
                 n * 4};
    });
  }
}

void add_unary(const std::string& name, Unary kind, float a, float b) {
  const i64 n = 16384;
  add("unary/" + name, [=] {
    auto src = std::make_shared<std::vector<float>>(floats(n));
    auto dst = std::make_shared<std::vector<float>>(n);
    return Job{[=](const Kernels& k) { k.unary(kind, a, b, src->data(), dst->data(), n); },
               [=] {
                 for (std::size_t i = 0; i < src->size(); ++i)
                   if (differ((*dst)[i],
                              static_cast<double>(reference::unary(kind, a, b, (*src)[i])), 1e-6))
                     return true;
                 return false;
               },
               n * 8};
  });
}

void add_elementwise() {
  add_unary("relu", Unary::relu, 0, 0);
  add_unary("clip", Unary::clip, 0, 6);
  add_unary("sigmoid", Unary::sigmoid, 0, 0);
  add_unary("tanh", Unary::tanh, 0, 0);
  add_unary("silu", Unary::silu, 0, 0);
  add_unary("hard_swish", Unary::hard_swish, 0, 0);
  add_unary("elu", Unary::elu, 1, 0);
  add_unary("gelu_erf", Unary::gelu_erf, 0, 0);
  add_unary("gelu_tanh", Unary::gelu_tanh, 0, 0);
  add_unary("softplus", Unary::softplus, 0, 0);
  add_unary("mish", Unary::mish, 0, 0);
  add("binary/add_relu", [] {
    const i64 n = 16384;
    auto a = std::make_shared<std::vector<float>>(floats(n));
    auto b = std::make_shared<std::vector<float>>(floats(n, 2));
    auto dst = std::make_shared<std::vector<float>>(n);
    return Job{
        [=](const Kernels& k) { k.binary(Binary::add_relu, a->data(), b->data(), dst->data(), n); },
        [=] {
          for (std::size_t i = 0; i < a->size(); ++i)
            if (differ((*dst)[i], std::max(0.f, (*a)[i] + (*b)[i]), 0)) return true;
          return false;
        },
        n * 12};
  });
}

void add_pictures() {
  add("resize_bilinear/7x7_to_224x224", [] {
    auto src = std::make_shared<std::vector<float>>(floats(49));
    auto dst = std::make_shared<std::vector<float>>(224 * 224);
    auto scratch = std::make_shared<std::vector<float>>(2 * 224);
    auto taps = std::make_shared<LinearTaps>(7, 224);
    return Job{[=](const Kernels& k) {
                 k.resize_bilinear(src->data(), 7, taps->axis(), taps->axis(), 224, 0, 224,
                                   scratch->data(), dst->data());
               },
               [=] {
                 const auto want = reference::resize_bilinear(src->data(), 7, 7, 224, 224);
                 for (std::size_t i = 0; i < want.size(); ++i)
                   if (differ((*dst)[i], want[i], 5e-6)) return true;
                 return false;
               },
               i64{224} * 224 * 4};
  });
  const i64 pixels = i64{640} * 480;
  add("colormap/640x480", [=] {
    auto map = std::make_shared<std::vector<float>>(floats(pixels));
    auto lut = std::make_shared<std::vector<u8>>(bytes(768));
    auto rgb = std::make_shared<std::vector<u8>>(3 * pixels);
    return Job{[=](const Kernels& k) { k.colormap(map->data(), pixels, lut->data(), rgb->data()); },
               [=] {
                 for (std::size_t i = 0; i < rgb->size(); ++i) {
                   const auto entry =
                       3 * static_cast<std::size_t>(reference::colour_index((*map)[i / 3])) + i % 3;
                   if ((*rgb)[i] != (*lut)[entry]) return true;
                 }
                 return false;
               },
               pixels * 7};
  });
  add("blend/640x480", [=] {
    auto photo = std::make_shared<std::vector<u8>>(bytes(3 * pixels));
    auto heat = std::make_shared<std::vector<u8>>(bytes(3 * pixels, 2));
    auto dst = std::make_shared<std::vector<u8>>(3 * pixels);
    return Job{[=](const Kernels& k) {
                 k.blend(photo->data(), heat->data(), 0.4f, 3 * pixels, dst->data());
               },
               [=] {
                 for (std::size_t i = 0; i < dst->size(); ++i)
                   if (differ((*dst)[i], reference::blend((*photo)[i], (*heat)[i], 0.4), 0.5001))
                     return true;
                 return false;
               },
               pixels * 9};
  });
}

/// Columns then rows; the reference sums the same fixed-point taps one by one.
struct PillowBuffers {
  i64 channels, sw, sh, dw, dh;
  PillowTaps columns{sw, dw}, rows{sh, dh};
  std::vector<u8> src = bytes(sw * sh * channels);
  std::vector<u8> middle = std::vector<u8>(static_cast<std::size_t>(dw * sh * channels));
  std::vector<u8> dst = std::vector<u8>(static_cast<std::size_t>(dw * dh * channels));

  static u8 tap(const PillowAxis& axis, i64 i, const u8* at, i64 step) {
    std::int32_t sum = 1 << 21;
    for (i64 k = 0; k < axis.count[i]; ++k)
      sum += axis.coeffs[i * axis.stride + k] * at[(axis.first[i] + k) * step];
    return static_cast<u8>(std::clamp(sum >> 22, 0, 255));
  }
  bool wrong() const {
    std::vector<u8> half(middle.size());
    const i64 row = dw * channels;
    for (i64 y = 0; y < sh; ++y)
      for (i64 x = 0; x < row; ++x)
        half[static_cast<std::size_t>(y * row + x)] = tap(
            columns.axis(), x / channels, src.data() + y * sw * channels + x % channels, channels);
    for (i64 y = 0; y < dh; ++y)
      for (i64 x = 0; x < row; ++x)
        if (dst[static_cast<std::size_t>(y * row + x)] != tap(rows.axis(), y, half.data() + x, row))
          return true;
    return false;
  }
};

void add_matrices() {
  for (const auto& [rows, columns] :
       {std::array<i64, 2>{4096, 4096}, std::array<i64, 2>{1000, 512}}) {
    const std::string size = std::to_string(rows) + "x" + std::to_string(columns);
    const auto matrix = [=, n = rows * columns] {
      return std::make_shared<std::vector<float>>(floats(n));
    };
    for (const i64 vectors : {1, 4}) {
      const std::string name = size + "_times" + std::to_string(vectors);
      add("matrix_vector/" + name, [=, rows = rows, columns = columns] {
        auto m = matrix();
        auto src = std::make_shared<std::vector<float>>(floats(columns * vectors, 2));
        auto dst = std::make_shared<std::vector<float>>(rows * vectors);
        return Job{[=](const Kernels& k) {
                     k.matrix_vector(m->data(), columns, src->data(), vectors, 0, rows, dst->data(),
                                     rows);
                   },
                   [=] {
                     double magnitude = 0;
                     const double want =
                         reference::matrix_vector(m->data(), columns, src->data(), 7, &magnitude);
                     return differ((*dst)[7], want, 1e-6 * magnitude);
                   },
                   rows * columns * 4};
      });
      add("vector_matrix/" + name, [=, rows = rows, columns = columns] {
        auto m = matrix();
        auto src = std::make_shared<std::vector<float>>(floats(rows * vectors, 2));
        auto dst = std::make_shared<std::vector<float>>(columns * vectors);
        return Job{[=](const Kernels& k) {
                     k.vector_matrix(m->data(), rows, columns, src->data(), vectors, 0, columns,
                                     dst->data(), columns);
                   },
                   [=] {
                     double magnitude = 0;
                     const double want = reference::vector_matrix(m->data(), rows, columns,
                                                                  src->data(), 7, &magnitude);
                     return differ((*dst)[7], want, 1e-6 * magnitude);
                   },
                   rows * columns * 4};
      });
    }
  }
}

void add_preprocessing() {
  for (const i64 channels : {1, 3}) {
    const auto make = [=](i64 w, i64 h, i64 to_w, i64 to_h) {
      return std::make_shared<PillowBuffers>(PillowBuffers{channels, w, h, to_w, to_h});
    };
    const std::string depth = std::to_string(channels);
    for (const auto& [w, h, to_w, to_h] :
         {std::array<i64, 4>{500, 375, 341, 256}, std::array<i64, 4>{2000, 1500, 341, 256}})
      add("pillow_columns+pillow_rows/" + std::to_string(w) + "x" + std::to_string(h) + "x" + depth,
          [=, w = w, h = h, to_w = to_w, to_h = to_h] {
            const auto buffers = make(w, h, to_w, to_h);
            return Job{[=](const Kernels& k) {
                         PillowBuffers& b = *buffers;
                         const i64 row = b.dw * b.channels;
                         k.pillow_columns(b.src.data(), b.sw * b.channels, b.sw, b.channels,
                                          b.columns.axis(), b.dw, 0, b.sh, b.middle.data(), row);
                         k.pillow_rows(b.middle.data(), row, row, b.rows.axis(), 0, b.dh,
                                       b.dst.data(), row);
                       },
                       [=] { return buffers->wrong(); }, w * h * channels};
          });
  }
  add("planar/224x224", [] {
    const PlanarSpec spec = {
        3, 3, false, 1.f / 255.f, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
    const i64 n = i64{224} * 224;
    auto src = std::make_shared<std::vector<u8>>(bytes(3 * n));
    auto dst = std::make_shared<std::vector<float>>(3 * n);
    return Job{[=](const Kernels& k) {
                 k.planar(src->data(), i64{3} * 224, &spec, 224, 0, 224, dst->data(), 224, n);
               },
               [=] {
                 for (std::size_t i = 0; i < src->size(); ++i) {
                   const std::size_t c = i % 3;
                   const double want =
                       ((*src)[i] / 255.0 - spec.mean[c]) / static_cast<double>(spec.std[c]);
                   if (differ((*dst)[c * static_cast<std::size_t>(n) + i / 3], want, 1e-6))
                     return true;
                 }
                 return false;
               },
               n * 15};
  });
}

/// The table is pointers to kernels behind the instruction set's name.
constexpr std::size_t kKernels = (sizeof(Kernels) - alignof(Kernels)) / sizeof(void (*)());

}  // namespace

int run_all(int argc, char** argv) {
  add_channel_kernels();
  add_elementwise();
  add_matrices();
  add_pictures();
  add_preprocessing();
  add_values();
  add_backward_kernels();
  if (seen.size() != kKernels) {
    std::fprintf(stderr, "simd_bench: %zu kernels, but rows for %zu\n", kKernels, seen.size());
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return failed ? 1 : 0;
}

}  // namespace fovea::simd

int main(int argc, char** argv) {
  return fovea::simd::run_all(argc, argv);
}
