#include "passes/scaled.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/checksum.hpp"
#include "base/parallel.hpp"

namespace fovea::passes {
namespace {

constexpr std::int64_t kGrain = 65'536;  // elements worth waking a thread for

std::uint64_t identity_of(const graph::Constant& source, const ChannelOf& channel,
                          const std::vector<double>& factor) {
  const std::uint64_t numbers[] = {source.identity(), channel.inner, channel.count, channel.block};
  return base::checksum(std::as_bytes(std::span(factor)),
                        base::checksum(std::as_bytes(std::span(numbers))));
}

class Scaled : public graph::Deferred {
 public:
  Scaled(const graph::Constant& source, const ChannelOf& channel, std::vector<double> factor)
      : Deferred(static_cast<std::int64_t>(source.size()), identity_of(source, channel, factor)),
        source_(source),
        channel_(channel),
        factor_(std::move(factor)) {}

  void read(std::int64_t first, std::span<float> out) const override {
    source_.read(first, out);
    const auto n = static_cast<std::int64_t>(out.size());
    base::parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
      scale(static_cast<std::size_t>(first + begin),
            out.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
    });
  }

 private:
  /// `out` holds the elements from `first` on; a channel's factor serves a whole run of them.
  void scale(std::size_t first, std::span<float> out) const {
    for (std::size_t i = 0; i < out.size();) {
      const auto at = first + i;
      const auto run = std::min(channel_.inner - at % channel_.inner, out.size() - i);
      const double factor = factor_[channel_(at)];
      for (auto& v : out.subspan(i, run)) v = static_cast<float>(v * factor);
      i += run;
    }
  }

  graph::Constant source_;
  ChannelOf channel_;
  std::vector<double> factor_;
};

}  // namespace

graph::Constant scaled(const graph::Constant& source, const ChannelOf& channel,
                       std::vector<double> factor) {
  return graph::Constant::of_deferred(
      source.shape, std::make_shared<const Scaled>(source, channel, std::move(factor)));
}

}  // namespace fovea::passes
