// Gradient SHAP, or expected gradients. S. M. Lundberg, S.-I. Lee, "A Unified Approach to
// Interpreting Model Predictions", NIPS 2017, by G. Erion, J. D. Janizek, P. Sturmfels, S. M.
// Lundberg, S.-I. Lee, "Improving performance of deep learning models with axiomatic attribution
// priors and expected gradients", Nature Machine Intelligence 3, 2021, eq. 3:
//
//   a = E_{b, t} (x - b) dy/dx (b + t (x - b))        b of the background, t uniform in 0..1
//
// With `noise`, x is x + N(0, noise^2) in each sample, as in captum and shap.

#include "explain/attribution.hpp"
#include "explain/differences.hpp"
#include "explain/gradients.hpp"
#include "explain/random.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/relevance.hpp"

namespace fovea::explain {
namespace {

/// The samples' draws, given or made.
struct Draws {
  std::int64_t samples = 0;
  std::vector<std::int64_t> picks;  // [samples, batch]
  std::vector<double> points;       // [samples, batch]
};

/// Where the caller has them.
struct Given {
  const Tensor *points, *picks;
  std::int64_t samples;

  Given(const Context& context, const Chosen<GradientShap>& method)
      : points(method.given(&GradientShap::given_points, {-1, context.batch})),
        picks(method.given(&GradientShap::given_picks, {-1, context.batch})),
        samples(method.rows(&GradientShap::samples, points != nullptr ? points : picks)) {}
};

Draws drawn(const Context& context, const Chosen<GradientShap>& method, std::int64_t images,
            Random& random) {
  const Given given(context, method);
  const auto *points = given.points, *picks = given.picks;
  Draws out;
  out.samples = given.samples;
  const auto count = static_cast<std::size_t>(out.samples * context.batch);
  if (picks != nullptr && picks->data.size() < count)
    throw Error(ErrorCode::invalid_argument,
                "Gradient SHAP: 'picks' holds fewer samples than are asked for");
  for (std::size_t i = 0; i < count; ++i) {
    const double pick = picks != nullptr
                            ? static_cast<double>(picks->data[i])
                            : std::floor(random.uniform() * static_cast<double>(images));
    if (!(pick >= 0 && pick < static_cast<double>(images)))
      throw Error(ErrorCode::invalid_argument,
                  "Gradient SHAP: 'picks' names an image that the background does not have");
    out.picks.push_back(static_cast<std::int64_t>(pick));
    out.points.push_back(points != nullptr ? static_cast<double>(points->data[i])
                                           : random.uniform());
  }
  return out;
}

/// The target's mean value over the background, per image of the batch.
std::vector<double> mean_values(Context& context, Rerun& rerun, const Tensor& background,
                                std::vector<Tensor>& inputs) {
  const auto batch = static_cast<std::size_t>(context.batch);
  auto& image_input = inputs[context.image_input].data;
  const auto size = image_input.size() / batch, row = static_cast<std::size_t>(context.row());
  const auto images = background.data.size() / size;
  std::vector<double> out(batch, 0.0);
  for (std::size_t i = 0; i < images; ++i) {
    const auto from = background.data.begin() + static_cast<std::ptrdiff_t>(i * size);
    for (std::size_t n = 0; n < batch; ++n)
      std::copy_n(from, size, image_input.begin() + static_cast<std::ptrdiff_t>(n * size));
    const auto& again = rerun.forward(inputs);
    for (std::size_t n = 0; n < batch; ++n)
      out[n] += context.objectives[n].value(again.scores.subspan(n * row, row)) /
                static_cast<double>(images);
  }
  return out;
}

base::Size gradient_shap_bytes(const Context& context, const Chosen<GradientShap>& method) {
  constexpr base::Size kDraw = sizeof(double) + sizeof(std::int64_t), kSums = 2;
  const base::Size samples = Given(context, method).samples;
  const Sizes s(context);
  return rerun_bytes(context) + input_gradient_bytes(context) +
         s.images * s.input * kSums * kDouble + samples * s.images * kDraw * kGrown;
}

std::vector<Evidence> run(Context& context, const Chosen<GradientShap>& method) {
  const Tensor& clean = image_input(context);
  const Tensor& background = background_of(method, image_shape(context));
  Shape noise_shape{-1};
  noise_shape.insert(noise_shape.end(), clean.shape.begin(), clean.shape.end());
  const auto* noise = method.given(&GradientShap::given_noise, noise_shape);
  Random random(method->seed);
  const auto draws = drawn(context, method, background.shape[0], random);
  if (noise != nullptr && noise->shape[0] < draws.samples)
    throw Error(ErrorCode::invalid_argument,
                "Gradient SHAP: 'noise' holds fewer samples than are asked for");
  const double deviation = method->noise;
  const auto batch = static_cast<std::size_t>(context.batch);
  const auto size = clean.data.size() / batch, row = static_cast<std::size_t>(context.row());
  std::vector<Tensor> inputs(context.inputs.begin(), context.inputs.end());
  std::vector<double> sum(clean.data.size(), 0.0), step(clean.data.size());
  Rerun rerun(context);
  for (std::int64_t s = 0; s < draws.samples; ++s) {
    for (std::size_t n = 0; n < batch; ++n) {
      const auto draw = static_cast<std::size_t>(s) * batch + n;
      const float* b = background.data.data() + static_cast<std::size_t>(draws.picks[draw]) * size;
      for (std::size_t e = 0; e < size; ++e) {
        const auto at = n * size + e;
        double x = clean.data[at];
        if (noise != nullptr)
          x += noise->data[static_cast<std::size_t>(s) * clean.data.size() + at];
        else if (deviation > 0)
          x += deviation * random.normal();
        step[at] = x - b[e];
        inputs[context.image_input].data[at] =
            static_cast<float>(b[e] + draws.points[draw] * step[at]);
      }
    }
    auto& again = rerun.forward(inputs);
    const auto gradients = gradients_at_input(again, engine::GradientRule::plain);
    for (std::size_t n = 0; n < batch; ++n)
      for (std::size_t e = 0; e < size; ++e)
        sum[n * size + e] += step[n * size + e] * gradients[n].data[e];
    report_progress(context.call, s + 1, draws.samples);
  }
  const auto before = mean_values(context, rerun, background, inputs);
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < batch; ++n) {
    Tensor a = image_of(context, static_cast<std::int64_t>(n));
    double attributed = 0;
    for (std::size_t e = 0; e < size; ++e) {
      const double value = sum[n * size + e] / static_cast<double>(draws.samples);
      a.data[e] = static_cast<float>(value);
      attributed += value;
    }
    out.push_back(by_sum(context, std::move(a)));
    const double after = context.objectives[n].value(context.scores.subspan(n * row, row));
    out.back().sum_rule = difference_rule(after - before[n], attributed);
  }
  return out;
}

}  // namespace

template <>
Row<GradientShap> row<GradientShap>() {
  return {
      .info = {.title = "Gradient SHAP",
               .paper = "Lundberg and Lee 2017, A Unified Approach to Interpreting Model "
                        "Predictions; Erion et al. 2021, Improving performance of deep learning "
                        "models with axiomatic attribution priors and expected gradients, eq. 3",
               .needs = "an input that the score depends on",
               .cost = "`samples` forwards and walks back to the input, 1 forward per image of the "
                       "background",
               .use =
                   "as Deep SHAP, where the network has no rescale rule; adds up on average only",
               .kind = MapKind::input},
      .needs =
          [](const Layer& layer, const Chosen<GradientShap>& method) {
            const std::span extents(layer.shape);
            background_of(method, extents.subspan(extents.empty() ? 0 : 1));
            return input_gradient_needs().and_rerun();
          },
      .run = run,
      .scratch_bytes = gradient_shap_bytes,
      .relu = false};
}
template const Entry& entry<GradientShap>();

}  // namespace fovea::explain
