#include "shapes/networks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "../onnx/model_builder.hpp"

namespace fovea::shapes_test {
namespace {

using test::attr;
using test::Attrs;
using test::Ints;

struct Drawn {
  std::string name;
  Shape shape;  ///< with open extents as they will be
};

std::int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string text(const Shape& shape) {
  std::string out = "[";
  for (const auto extent : shape) out += (out.size() > 1 ? "," : "") + std::to_string(extent);
  return out + "]";
}

class Maker {
 public:
  explicit Maker(Draw& draw) : draw_(draw) {}

  Network make() {
    network_.batch = draw_.one_of<std::int64_t>({1, 1, 1, 2, 2, 3});
    std::vector<Drawn> all = inputs();
    Drawn x = all.empty()        ? constant(picture())
              : draw_.chance(80) ? largest(all)
                                 : draw_.one_of(all);
    if (x.shape.size() == 4 && draw_.chance(70)) x = conv(x);
    const auto steps = draw_.below(6);
    for (std::int64_t i = 0; i < steps; ++i) x = step(x);
    for (const auto& other : all)
      if (other.name != x.name && draw_.chance(85)) x = joined(x, other);
    if (draw_.chance(60)) x = head(x);
    if (draw_.chance(55)) x = ending(x);
    if (draw_.chance(15))
      x = draw_.chance(50) ? add("Softmax", {x}, x.shape, {attr("axis", -1)}) : unary(x);
    output(x);
    if (draw_.chance(15) && !made_.empty()) output(draw_.one_of(made_));
    network_.bytes = model_.serialize();
    return std::move(network_);
  }

 private:
  Drawn add(const std::string& op, const std::vector<Drawn>& inputs, Shape shape,
            const Attrs& attributes = {}, const std::vector<std::string>& more = {}) {
    std::vector<std::string> names;
    for (const auto& input : inputs) names.push_back(input.name);
    names.insert(names.end(), more.begin(), more.end());
    Drawn out{"v" + std::to_string(made_.size()), std::move(shape)};
    model_.add(op, names, {out.name}, attributes);
    network_.told += " " + op + text(out.shape);
    if (out.shape.size() >= 3 && out.shape.size() <= 5) network_.values.push_back(out.name);
    made_.push_back(out);
    return out;
  }

  std::string floats(const Shape& shape, float scale = 1) {
    const auto name = "w" + std::to_string(++constants_);
    model_.initializer(name, shape, draw_.numbers(elements(shape), -scale, scale));
    return name;
  }
  std::string ints(const Ints& values) {
    const auto name = "i" + std::to_string(++constants_);
    model_.initializer(name, {static_cast<std::int64_t>(values.size())}, values);
    return name;
  }
  Drawn constant(const Shape& shape) { return {floats(shape), shape}; }

  std::int64_t extent() { return draw_.one_of<std::int64_t>({1, 1, 2, 3, 4, 5, 8}); }

  /// Extents of a picture, of whatever rank; the first is most often the number of images.
  Shape picture() {
    const auto rank = draw_.one_of<std::size_t>({4, 4, 4, 4, 4, 4, 3, 3, 5, 2, 2, 1, 0});
    Shape out;
    for (std::size_t d = 0; d < rank; ++d) out.push_back(extent());
    if (rank > 0)
      out[0] = draw_.chance(75) ? network_.batch : draw_.one_of<std::int64_t>({1, 2, 3});
    if (rank == 4 && draw_.chance(60)) out = {out[0], 3, 8, 8};
    if (rank > 0 && draw_.chance(2)) out[draw_.index(rank)] = 0;
    return out;
  }

  std::vector<Drawn> inputs() {
    std::vector<Drawn> out;
    const auto count = draw_.one_of<int>({0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3});
    const auto at = count > 1 ? draw_.below(static_cast<std::size_t>(count)) : 0;
    for (int i = 0; i < count; ++i) {
      const auto k = draw_.one_of<std::int64_t>({1, 2, 5});
      const auto small = draw_.one_of<Shape>({{},
                                              {},
                                              {1},
                                              {1, 1},
                                              {network_.batch, k},
                                              {k},
                                              {network_.batch},
                                              {1, 3, 1, 1},
                                              {2, 1, 1, 1}});
      const bool main = i == at || draw_.chance(15);
      out.push_back(input(main ? picture() : small));
    }
    return out;
  }

  Drawn input(const Shape& shape) {
    const auto name = "x" + std::to_string(network_.input_shapes.size() + declared_++);
    Shape declared = shape;
    if (!shape.empty() && shape[0] == network_.batch && draw_.chance(50)) declared[0] = -1;
    if (shape.size() > 2 && draw_.chance(15)) {
      declared[1 + draw_.index(shape.size() - 1)] = -1;
      network_.input_shapes[name] = shape;
    }
    const int type =
        draw_.one_of<int>({1, 1, 1, 1, 1, 1, 1, test::kInt64, test::kUint8, test::kDouble});
    model_.input(name, declared, type);
    network_.told += " " + name + text(declared) + (type == 1 ? "" : "t" + std::to_string(type));
    if (type == test::kFloat) return {name, shape};
    return add("Cast", {{name, shape}}, shape, {attr("to", 1)});
  }

  Drawn largest(const std::vector<Drawn>& all) const {
    return *std::max_element(all.begin(), all.end(), [](const Drawn& a, const Drawn& b) {
      return elements(a.shape) < elements(b.shape);
    });
  }

  Drawn conv(const Drawn& x) {
    const auto k = draw_.one_of<std::int64_t>({1, 2, 4});
    const auto side = draw_.one_of<std::int64_t>({1, 3});
    Shape kernel{k, x.shape[1]}, out{x.shape[0], k};
    for (std::size_t d = 2; d < x.shape.size(); ++d) {
      kernel.push_back(side);
      out.push_back(x.shape[d]);
    }
    const Ints pads(2 * (x.shape.size() - 2), side / 2);
    const float scale =
        2 / std::sqrt(static_cast<float>(std::max<std::int64_t>(1, elements(kernel) / k)));
    auto y = add("Conv", {x}, out, {attr("pads", pads)}, {floats(kernel, scale)});
    return draw_.chance(70) ? add("Relu", {y}, y.shape) : y;
  }

  Drawn unary(const Drawn& x) {
    return add(draw_.one_of<const char*>({"Relu", "Sigmoid", "Tanh", "Abs", "LeakyRelu", "Identity",
                                          "Softplus", "HardSwish", "Neg"}),
               {x}, x.shape);
  }

  /// A constant that broadcasts to the value (or past it: an extent more in front).
  Drawn with_constant(const Drawn& x) {
    Shape shape(x.shape.end() - draw_.below(x.shape.size() + 1), x.shape.end());
    for (auto& extent : shape)
      if (draw_.chance(40)) extent = 1;
    Shape out = x.shape;
    if (draw_.chance(8) && out.size() < 5) {
      out.insert(out.begin(), draw_.one_of<std::int64_t>({1, 2}));
      shape = Shape(out.size(), 1);
      shape[0] = out[0];
    }
    return add(draw_.one_of<const char*>({"Add", "Sub", "Mul"}), {x}, out, {}, {floats(shape)});
  }

  Drawn transpose(const Drawn& x) {
    Ints perm(x.shape.size());
    std::iota(perm.begin(), perm.end(), 0);
    for (std::size_t i = perm.size(); i > 1; --i) std::swap(perm[i - 1], perm[draw_.index(i)]);
    Shape out;
    for (const auto d : perm) out.push_back(x.shape[static_cast<std::size_t>(d)]);
    return add("Transpose", {x}, out, {attr("perm", perm)});
  }

  Drawn reshaped(const Drawn& x, const Shape& out, bool open = true) {
    Ints wanted = out;
    if (open && !wanted.empty() && elements(out) > 0 && draw_.chance(50))
      wanted[draw_.index(wanted.size())] = -1;
    return add("Reshape", {x}, out, {}, {ints(wanted)});
  }

  Drawn reshape(const Drawn& x) {
    Shape out = x.shape;
    switch (draw_.below(5)) {
      case 0:
        out = {elements(x.shape)};
        break;
      case 1:
        if (out.size() > 1) {  // images and channels become one
          const auto d = draw_.index(out.size() - 1);
          out[d] *= out[d + 1];
          out.erase(out.begin() + static_cast<std::ptrdiff_t>(d) + 1);
        }
        break;
      case 2:
        if (out.size() < 5) out.insert(out.begin() + draw_.below(out.size() + 1), 1);
        break;
      case 3: {
        const auto n = elements(x.shape);
        const auto k = draw_.one_of<std::int64_t>({1, 2, 3, 4});
        if (n % k == 0) out = {n / k, k};
        break;
      }
      default:
        if (out.size() > 1 && out.front() > 0) {
          std::swap(out.front(), out.back());
        }
    }
    return reshaped(x, out);
  }

  Drawn flatten(const Drawn& x) {
    const auto axis = draw_.chance(75)
                          ? std::min<std::int64_t>(1, static_cast<std::int64_t>(x.shape.size()))
                          : draw_.below(x.shape.size() + 1);
    const auto middle = x.shape.begin() + axis;
    const auto product = [](auto from, auto to) {
      return std::accumulate(from, to, std::int64_t{1}, std::multiplies<>());
    };
    return add("Flatten", {x}, {product(x.shape.begin(), middle), product(middle, x.shape.end())},
               {attr("axis", axis)});
  }

  Drawn reduce(const Drawn& x) {
    Ints axes;
    Shape out;
    const bool keep = draw_.chance(50);
    const int percent = draw_.one_of<int>({20, 50, 100});
    for (std::size_t d = 0; d < x.shape.size(); ++d) {
      const bool gone = draw_.chance(percent);
      if (gone)
        axes.push_back(static_cast<std::int64_t>(d) -
                       (draw_.chance(20) ? static_cast<std::int64_t>(x.shape.size()) : 0));
      if (!gone) out.push_back(x.shape[d]);
      if (gone && keep) out.push_back(1);
    }
    if (axes.empty()) return x;
    return add(draw_.one_of<const char*>({"ReduceMean", "ReduceMean", "ReduceMax", "ReduceL2"}),
               {x}, out, {attr("axes", axes), attr("keepdims", keep ? 1 : 0)});
  }

  Drawn gather(const Drawn& x) {
    const auto d = draw_.index(x.shape.size());
    if (x.shape[d] == 0) return x;
    const auto axis = static_cast<std::int64_t>(d);
    const auto at =
        draw_.below(static_cast<std::size_t>(x.shape[d])) - (draw_.chance(20) ? x.shape[d] : 0);
    Shape out = x.shape;
    const auto name = "i" + std::to_string(++constants_);
    if (draw_.chance(60)) {
      model_.initializer(name, Ints{}, Ints{at});
      out.erase(out.begin() + axis);
    } else {
      model_.initializer(name, Ints{2}, Ints{at, 0});
      out[d] = 2;
    }
    return add("Gather", {x}, out, {attr("axis", axis)}, {name});
  }

  Drawn slice(const Drawn& x) {
    const auto d = draw_.index(x.shape.size());
    Shape out = x.shape;
    if (draw_.chance(30)) {
      out[d] *= 2;
      return add("Concat", {x, x}, out, {attr("axis", static_cast<std::int64_t>(d))});
    }
    const auto keep = std::min<std::int64_t>(x.shape[d], draw_.chance(3) ? 0 : 1 + draw_.below(3));
    out[d] = keep;
    return add("Slice", {x}, out, {},
               {ints({0}), ints({keep}), ints({static_cast<std::int64_t>(d)})});
  }

  Drawn tile(const Drawn& x) {
    Ints times(x.shape.size(), 1);
    const auto d = draw_.chance(60) ? 0 : draw_.index(x.shape.size());
    times[d] = 2;
    Shape out = x.shape;
    out[d] *= 2;
    if (elements(out) > 4096) return x;
    return add("Tile", {x}, out, {}, {ints(times)});
  }

  Drawn pool(const Drawn& x) {
    Shape out(x.shape.begin(), x.shape.begin() + 2);
    if (draw_.chance(50)) {
      out.resize(x.shape.size(), 1);
      return add(draw_.chance(70) ? "GlobalAveragePool" : "GlobalMaxPool", {x}, out);
    }
    const Ints kernel(x.shape.size() - 2, 2);
    for (std::size_t d = 2; d < x.shape.size(); ++d) {
      if (x.shape[d] < 2) return x;
      out.push_back((x.shape[d] - 2) / 2 + 1);
    }
    return add(draw_.chance(50) ? "MaxPool" : "AveragePool", {x}, out,
               {attr("kernel_shape", kernel), attr("strides", kernel)});
  }

  Drawn norm(const Drawn& x) {
    const Shape c{x.shape[1]};
    const auto name = "w" + std::to_string(++constants_);
    model_.initializer(name, c, draw_.numbers(c[0], 0.5f, 2));
    return add("BatchNormalization", {x}, x.shape, {}, {floats(c), floats(c), floats(c), name});
  }

  Drawn matmul(const Drawn& x) {
    if (x.shape.back() == 0 || x.shape.back() > 4096) return x;
    const auto k = draw_.one_of<std::int64_t>({1, 2, 5});
    const float scale = 2 / std::sqrt(static_cast<float>(x.shape.back()));
    Shape out = x.shape;
    if (draw_.chance(10)) {  // by a vector
      out.pop_back();
      return add("MatMul", {x}, out, {}, {floats({x.shape.back()}, scale)});
    }
    out.back() = k;
    if (x.shape.size() == 2 && draw_.chance(60))
      return add("Gemm", {x}, out, {attr("transB", 1)},
                 {floats({k, x.shape.back()}, scale),
                  floats(draw_.one_of<Shape>({{k}, {1}, {1, k}, {}}))});
    return add("MatMul", {x}, out, {}, {floats({x.shape.back(), k}, scale)});
  }

  Drawn through_ints(const Drawn& x) {
    const auto whole =
        add("Cast", {x}, x.shape, {attr("to", draw_.one_of({test::kInt64, test::kInt32}))});
    return add("Cast", {whole}, x.shape, {attr("to", 1)});
  }

  Drawn squeezed(const Drawn& x) {
    for (std::size_t d = 0; d < x.shape.size(); ++d)
      if (x.shape[d] == 1 && draw_.chance(60)) {
        Shape out = x.shape;
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(d));
        return add("Squeeze", {x}, out, {}, {ints({static_cast<std::int64_t>(d)})});
      }
    if (x.shape.size() > 4) return x;
    Shape out = x.shape;
    const auto d = draw_.below(x.shape.size() + 1);
    out.insert(out.begin() + d, 1);
    return add("Unsqueeze", {x}, out, {}, {ints({d})});
  }

  Drawn step(const Drawn& x) {
    const auto rank = x.shape.size();
    if (elements(x.shape) > 8192) return rank > 0 ? reduce(x) : x;
    switch (draw_.below(15)) {
      case 0:
      case 1:
        return rank >= 3 ? conv(x) : unary(x);
      case 2:
        return unary(x);
      case 3:
        return with_constant(x);
      case 4:
        return rank > 1 ? transpose(x) : squeezed(x);
      case 5:
        return reshape(x);
      case 6:
        return rank > 0 ? reduce(x) : unary(x);
      case 7:
        return rank > 0 ? gather(x) : unary(x);
      case 8:
        return rank > 0 ? slice(x) : unary(x);
      case 9:
        return rank > 0 ? tile(x) : unary(x);
      case 10:
        return rank >= 3 && rank <= 5 ? pool(x) : squeezed(x);
      case 11:
        return rank >= 2 ? norm(x) : unary(x);
      case 12:
        return rank >= 2 ? matmul(x) : unary(x);
      case 13:
        return draw_.chance(25) ? through_ints(x) : add("Add", {x, x}, x.shape);
      default:
        return squeezed(x);
    }
  }

  /// Two values into one, where numpy would broadcast them; else the other is summed first.
  Drawn joined(const Drawn& x, const Drawn& other) {
    Drawn y = other;
    Shape shape(std::max(x.shape.size(), y.shape.size()), 1);
    const auto fits = [&] {
      for (std::size_t d = 1; d <= shape.size(); ++d) {
        const auto a = d <= x.shape.size() ? x.shape[x.shape.size() - d] : 1;
        const auto b = d <= y.shape.size() ? y.shape[y.shape.size() - d] : 1;
        if (a != b && a != 1 && b != 1) return false;
        shape[shape.size() - d] = a == 1 ? b : a;
      }
      return elements(shape) <= 8192;
    };
    if (!fits()) {
      if (y.shape.empty()) return x;
      Ints axes(y.shape.size() > 1 && draw_.chance(50) ? y.shape.size() - 1 : y.shape.size());
      std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(y.shape.size() - axes.size()));
      Shape out(y.shape.begin(), y.shape.end() - static_cast<std::ptrdiff_t>(axes.size()));
      y = add("ReduceMean", {y}, out, {attr("axes", axes), attr("keepdims", 0)});
      shape.assign(std::max(x.shape.size(), y.shape.size()), 1);
      if (!fits()) return x;
    }
    return add(draw_.one_of<const char*>({"Mul", "Add", "Div", "Sub"}),
               draw_.chance(80) ? std::vector<Drawn>{x, y} : std::vector<Drawn>{y, x}, shape);
  }

  /// As classifiers end.
  Drawn head(Drawn x) {
    if (x.shape.size() >= 3 && draw_.chance(70)) {
      Shape out(x.shape.begin(), x.shape.begin() + 2);
      out.resize(x.shape.size(), 1);
      x = add("GlobalAveragePool", {x}, out);
    }
    if (x.shape.size() != 2) x = flatten(x);
    return matmul(x);
  }

  /// As no classifier ends.
  Drawn ending(const Drawn& x) {
    const auto n = elements(x.shape);
    switch (draw_.below(7)) {
      case 0:  // rows are positions
        if (x.shape.size() != 4) return transpose(x.shape.size() > 1 ? x : squeezed(x));
        return reshaped(add("Transpose", {x}, {x.shape[0], x.shape[2], x.shape[3], x.shape[1]},
                            {attr("perm", Ints{0, 2, 3, 1})}),
                        {x.shape[0] * x.shape[2] * x.shape[3], x.shape[1]});
      case 1:  // one row for all images
        if (x.shape.size() < 2) return reshaped(x, {1, n});
        return add("ReduceMean", {x},
                   {1, elements(x.shape) / std::max<std::int64_t>(1, x.shape[0])},
                   {attr("axes", Ints{0}), attr("keepdims", 1)});
      case 2: {  // one number
        Ints axes(x.shape.size());
        std::iota(axes.begin(), axes.end(), 0);
        if (axes.empty()) return x;
        return add("ReduceMean", {x}, {}, {attr("axes", axes), attr("keepdims", 0)});
      }
      case 3:
        return reshaped(x, {n});
      case 4:
        return x.shape.size() == 2
                   ? add("Transpose", {x}, {x.shape[1], x.shape[0]}, {attr("perm", Ints{1, 0})})
                   : reshaped(x, {n, 1});
      case 5:
        return reshaped(x, {1, n});
      default:
        return x.shape.empty() ? x : gather(x);
    }
  }

  void output(const Drawn& x) {
    if (std::count(network_.outputs.begin(), network_.outputs.end(), x.name) > 0) return;
    network_.outputs.push_back(x.name);
    model_.output(x.name, x.shape);
  }

  Draw& draw_;
  test::ModelBuilder model_;
  Network network_;
  std::vector<Drawn> made_;
  std::int64_t constants_ = 0;
  std::size_t declared_ = 0;
};

}  // namespace

Network drawn_network(Draw& draw) {
  return Maker(draw).make();
}

}  // namespace fovea::shapes_test
