#include <algorithm>
#include <limits>

#include "reference/parts.hpp"

namespace fovea::reference {
namespace {

Shape spatial(const Shape& shape) {
  return {shape.begin() + 2, shape.end()};
}

Index joined(std::int64_t n, std::int64_t c, const Index& rest) {
  Index out{n, c};
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

/// The source position that tap `k` of the window at output `o` reads; false outside of the source.
bool source(const graph::Window& w, const Index& o, const Index& k, const Shape& extents,
            Index& at) {
  at.resize(o.size());
  bool inside = true;
  for (std::size_t i = 0; i < o.size(); ++i) {
    at[i] = o[i] * w.strides[i] - w.pads_begin[i] + k[i] * w.dilations[i];
    inside = inside && at[i] >= 0 && at[i] < extents[i];
  }
  return inside;
}

}  // namespace

Array conv(const graph::Conv& op, const Arrays& in, const Shape& out_shape) {
  const Array &x = in[0], &w = in[1];
  Array out(out_shape);
  const std::int64_t per_group_out = out_shape[1] / op.group, per_group_in = w.shape[1];
  each(out_shape, [&](const Index& o) {
    const Index place(o.begin() + 2, o.end());
    double sum =
        in.size() > 2 && !in[2].data.empty() ? in[2].data[static_cast<std::size_t>(o[1])] : 0;
    const std::int64_t first = o[1] / per_group_out * per_group_in;
    for (std::int64_t c = 0; c < per_group_in; ++c)
      each(spatial(w.shape), [&](const Index& k) {
        Index at;
        if (source(op.window, place, k, spatial(x.shape), at))
          sum += x[joined(o[0], first + c, at)] * w[joined(o[1], c, k)];
      });
    out[o] = sum;
  });
  return out;
}

Array conv_transpose(const graph::ConvTranspose& op, const Arrays& in, const Shape& out_shape) {
  const Array &x = in[0], &w = in[1];
  Array out(out_shape);
  if (in.size() > 2 && !in[2].data.empty())
    each(out_shape, [&](const Index& o) { out[o] = in[2].data[static_cast<std::size_t>(o[1])]; });
  const std::int64_t per_group_in = x.shape[1] / op.group, per_group_out = w.shape[1];
  each(x.shape, [&](const Index& i) {
    const std::int64_t group = i[1] / per_group_in;
    for (std::int64_t c = 0; c < per_group_out; ++c)
      each(spatial(w.shape), [&](const Index& k) {
        Index at(k.size());
        for (std::size_t d = 0; d < k.size(); ++d) {
          at[d] = i[d + 2] * op.window.strides[d] + k[d] * op.window.dilations[d] -
                  op.window.pads_begin[d];
          if (at[d] < 0 || at[d] >= out_shape[d + 2]) return;
        }
        out[joined(i[0], group * per_group_out + c, at)] += x[i] * w[joined(i[1], c, k)];
      });
  });
  return out;
}

namespace {

/// An element's place in the tensor; in its map the first axis is counted fastest where `turned`.
double counted_from_the_first(const Shape& shape, std::int64_t n, std::int64_t c, Index at,
                              bool turned) {
  Shape extents = spatial(shape);
  std::int64_t out = n * shape[1] + c;
  for (const auto extent : extents) out *= extent;
  if (turned) {
    std::reverse(at.begin(), at.end());
    std::reverse(extents.begin(), extents.end());
  }
  std::int64_t own = 0;
  for (std::size_t d = 0; d < at.size(); ++d) own = own * extents[d] + at[d];
  return static_cast<double>(out + own);
}

}  // namespace

Array pool(const graph::Pool& op, const Array& x, const Shape& out_shape) {
  Array out(out_shape);
  const Shape extents = spatial(x.shape);
  each(out_shape, [&](const Index& o) {
    const Index place(o.begin() + 2, o.end());
    double best = -std::numeric_limits<double>::infinity(), sum = 0;
    Index where;
    std::int64_t counted = 0;
    each(op.window.kernel, [&](const Index& k) {
      Index at;
      const bool inside = source(op.window, place, k, extents, at);
      bool in_pads = true;  // inside the source or the padding that the file asks for
      for (std::size_t i = 0; i < at.size(); ++i) {
        const auto extra = op.ceil_extra.empty() ? 0 : op.ceil_extra[i];
        in_pads = in_pads && at[i] < extents[i] + op.window.pads_end[i] - extra;
      }
      if (inside) {
        const double v = x[joined(o[0], o[1], at)];
        if (v > best) where = at;
        best = std::max(best, v);
        sum += v;
      }
      if (op.count_include_pad ? in_pads : inside) ++counted;
    });
    if (op.kind == graph::PoolKind::arg_max)
      out[o] = counted_from_the_first(x.shape, o[0], o[1], where, op.column_major);
    else
      out[o] = op.kind == graph::PoolKind::max ? best : sum / static_cast<double>(counted);
  });
  return out;
}

Array gemm(const graph::Gemm& op, const Arrays& in, const Shape& shape) {
  Array out(shape);
  const std::int64_t depth = in[0].shape[op.trans_a ? 0 : 1];
  each(shape, [&](const Index& o) {
    double sum = 0;
    for (std::int64_t k = 0; k < depth; ++k)
      sum += (op.trans_a ? in[0][{k, o[0]}] : in[0][{o[0], k}]) *
             (op.trans_b ? in[1][{o[1], k}] : in[1][{k, o[1]}]);
    out[o] = op.alpha * sum;
    if (in.size() > 2 && !in[2].data.empty()) out[o] += op.beta * in[2].broadcast(o);
  });
  return out;
}

Array matmul(const Array& a, const Array& b, const Shape& out_shape) {
  Array left = a, right = b;
  Shape shape = out_shape;
  if (b.shape.size() == 1) {
    right.shape = {b.shape[0], 1};
    shape.push_back(1);
  }
  if (a.shape.size() == 1) {
    left.shape = {1, a.shape[0]};
    shape.insert(shape.end() - 1, 1);
  }
  Array out(shape);
  each(shape, [&](const Index& o) {
    double sum = 0;
    for (std::int64_t k = 0; k < left.shape.back(); ++k) {
      Index i = o, j = o;
      i[o.size() - 1] = k;
      j[o.size() - 2] = k;
      sum += left.broadcast(i) * right.broadcast(j);
    }
    out[o] = sum;
  });
  out.shape = out_shape;
  return out;
}

Array einsum(const graph::Einsum& op, const Arrays& in, const Shape& out_shape) {
  std::vector<std::string> terms(1);
  for (const char ch : op.equation) {
    if (ch == ',' || ch == '>')
      terms.emplace_back();
    else if (ch != ' ' && ch != '-')
      terms.back() += ch;
  }
  std::string letters;
  Shape extents;
  for (std::size_t t = 0; t < in.size(); ++t)
    for (std::size_t i = 0; i < terms[t].size(); ++i) {
      const auto at = letters.find(terms[t][i]);
      if (at == std::string::npos) {
        letters += terms[t][i];
        extents.push_back(in[t].shape[i]);
      } else {
        extents[at] = std::max(extents[at], in[t].shape[i]);
      }
    }
  const auto pick = [&](const std::string& term, const Index& all, const Shape& shape) {
    Index out;
    for (std::size_t i = 0; i < term.size(); ++i)
      out.push_back(shape[i] == 1 ? 0 : all[letters.find(term[i])]);
    return out;
  };
  Array out(out_shape);
  each(extents, [&](const Index& all) {
    double product = 1;
    for (std::size_t t = 0; t < in.size(); ++t) product *= in[t][pick(terms[t], all, in[t].shape)];
    out[pick(terms.back(), all, out_shape)] += product;
  });
  return out;
}

}  // namespace fovea::reference
