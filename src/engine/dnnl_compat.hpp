#pragma once

#include <dnnl.hpp>
#include <string_view>

#include "engine/layout.hpp"

/// Where oneDNN 2.6 (operation descriptors) and 3.x (none) differ: one spelling for both.
namespace fovea::engine::compat {

struct WindowDims {
  Dims strides;
  Dims dilates;  ///< oneDNN's: 0 is dense
  Dims pad_begin;
  Dims pad_end;
};

/// Of the implementations that begin with what `make` returns, the first whose name has `wanted` in
/// it; what `make` returns where none has.
template <class Make>
auto named_or_first(Make&& make, std::string_view wanted) {
  if (wanted.empty()) return make();
  for (auto pd = make(); pd;) {
    if (std::string_view(pd.impl_info_str()).find(wanted) != std::string_view::npos) return pd;
    if (!pd.next_impl()) break;
  }
  return make();
}

#if DNNL_VERSION_MAJOR >= 3

template <class Primitive>
typename Primitive::primitive_desc window_forward(const dnnl::engine& engine,
                                                  dnnl::algorithm algorithm, const Desc& src,
                                                  const Desc& weights, const Desc& bias,
                                                  const Desc& dst, const WindowDims& w,
                                                  const dnnl::primitive_attr& attr) {
  return {engine,    dnnl::prop_kind::forward_inference,
          algorithm, src,
          weights,   bias,
          dst,       w.strides,
          w.dilates, w.pad_begin,
          w.pad_end, attr,
          true};
}

/// visit(primitive_desc) for oneDNN's implementations, best first, until it returns true.
template <class Primitive, class Visit>
bool each_window_forward(const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& src,
                         const Desc& weights, const Desc& bias, const Desc& dst,
                         const WindowDims& w, const dnnl::primitive_attr& attr, Visit&& visit) {
  auto pd = window_forward<Primitive>(engine, algorithm, src, weights, bias, dst, w, attr);
  while (pd) {
    if (visit(pd)) return true;
    if (!pd.next_impl()) break;
  }
  return false;
}

template <class Backward, class Forward>
typename Backward::primitive_desc window_backward_data(const dnnl::engine& engine,
                                                       dnnl::algorithm algorithm,
                                                       const Desc& diff_src, const Desc& weights,
                                                       const Desc& diff_dst, const WindowDims& w,
                                                       const typename Forward::primitive_desc& hint,
                                                       const dnnl::primitive_attr& attr) {
  return {engine,    algorithm,   diff_src,  weights, diff_dst, w.strides,
          w.dilates, w.pad_begin, w.pad_end, hint,    attr,     true};
}

/// visit(primitive_desc) for oneDNN's implementations, best first, until it returns true.
template <class Backward, class Forward, class Visit>
bool each_window_backward_data(const dnnl::engine& engine, dnnl::algorithm algorithm,
                               const Desc& diff_src, const Desc& weights, const Desc& diff_dst,
                               const WindowDims& w, const typename Forward::primitive_desc& hint,
                               const dnnl::primitive_attr& attr, Visit&& visit) {
  auto pd = window_backward_data<Backward, Forward>(engine, algorithm, diff_src, weights, diff_dst,
                                                    w, hint, attr);
  while (pd) {
    if (visit(pd)) return true;
    if (!pd.next_impl()) break;
  }
  return false;
}

template <class Backward, class Forward>
typename Backward::primitive_desc window_backward_weights(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& src,
    const Desc& diff_weights, const Desc& diff_dst, const WindowDims& w,
    const typename Forward::primitive_desc& hint, const dnnl::primitive_attr& attr) {
  return {engine,    algorithm,   src,       diff_weights, diff_dst, w.strides,
          w.dilates, w.pad_begin, w.pad_end, hint,         attr,     true};
}

using PoolForward = dnnl::pooling_forward;
using PoolBackward = dnnl::pooling_backward;

inline PoolForward::primitive_desc pool_forward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                                dnnl::algorithm algorithm, const Desc& src,
                                                const Desc& dst, const Dims& kernel,
                                                const WindowDims& w,
                                                const dnnl::primitive_attr& attr) {
  return {engine, kind,      algorithm,   src,       dst,  w.strides,
          kernel, w.dilates, w.pad_begin, w.pad_end, attr, true};
}

inline PoolBackward::primitive_desc pool_backward(const dnnl::engine& engine,
                                                  dnnl::algorithm algorithm, const Desc& diff_src,
                                                  const Desc& diff_dst, const Dims& kernel,
                                                  const WindowDims& w,
                                                  const PoolForward::primitive_desc& hint,
                                                  const dnnl::primitive_attr& attr) {
  return {engine,    algorithm,   diff_src,  diff_dst, w.strides, kernel,
          w.dilates, w.pad_begin, w.pad_end, hint,     attr,      true};
}

/// oneDNN's first matrix product whose name has `wanted` in it; its first where none has.
inline dnnl::matmul::primitive_desc matmul(const dnnl::engine& engine, const Desc& src,
                                           const Desc& weights, const Desc& bias, const Desc& dst,
                                           const dnnl::primitive_attr& attr,
                                           std::string_view wanted) {
  using Pd = dnnl::matmul::primitive_desc;
  const auto make = [&] {
    return bias.get_ndims() == 0 ? Pd(engine, src, weights, dst, attr, true)
                                 : Pd(engine, src, weights, bias, dst, attr, true);
  };
  return named_or_first(make, wanted);
}

inline dnnl::concat::primitive_desc concat(const dnnl::engine& engine, const Desc& dst, int axis,
                                           const std::vector<Desc>& srcs,
                                           const dnnl::primitive_attr& attr) {
  return {engine, dst, axis, srcs, attr};
}

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float alpha,
                           float beta) {
  ops.append_eltwise(algorithm, alpha, beta);
}

inline WindowDims window_of(const dnnl::convolution_forward::primitive_desc& pd) {
  return {pd.get_strides(), pd.get_dilations(), pd.get_padding_l(), pd.get_padding_r()};
}

inline dnnl::algorithm algorithm_of(const dnnl::convolution_forward::primitive_desc& pd) {
  return pd.get_algorithm();
}

/// The algorithm of an element-wise post-op.
inline dnnl::algorithm eltwise_of(const dnnl::post_ops& ops, int index, float& alpha, float& beta) {
  dnnl::algorithm algorithm{};
  ops.get_params_eltwise(index, algorithm, alpha, beta);
  return algorithm;
}

#else

template <class Primitive>
typename Primitive::primitive_desc window_forward(const dnnl::engine& engine,
                                                  dnnl::algorithm algorithm, const Desc& src,
                                                  const Desc& weights, const Desc& bias,
                                                  const Desc& dst, const WindowDims& w,
                                                  const dnnl::primitive_attr& attr) {
  return {typename Primitive::desc(dnnl::prop_kind::forward_inference, algorithm, src, weights,
                                   bias, dst, w.strides, w.dilates, w.pad_begin, w.pad_end),
          attr, engine, true};
}

template <class Primitive, class Visit>
bool each_window_forward(const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& src,
                         const Desc& weights, const Desc& bias, const Desc& dst,
                         const WindowDims& w, const dnnl::primitive_attr& attr, Visit&& visit) {
  // The list of implementations looks at the description again for each: it must outlive the list.
  const typename Primitive::desc desc(dnnl::prop_kind::forward_inference, algorithm, src, weights,
                                      bias, dst, w.strides, w.dilates, w.pad_begin, w.pad_end);
  typename Primitive::primitive_desc pd(desc, attr, engine, true);
  while (pd) {
    if (visit(pd)) return true;
    if (!pd.next_impl()) break;
  }
  return false;
}

template <class Backward, class Forward>
typename Backward::primitive_desc window_backward_data(const dnnl::engine& engine,
                                                       dnnl::algorithm algorithm,
                                                       const Desc& diff_src, const Desc& weights,
                                                       const Desc& diff_dst, const WindowDims& w,
                                                       const typename Forward::primitive_desc& hint,
                                                       const dnnl::primitive_attr& attr) {
  return {typename Backward::desc(algorithm, diff_src, weights, diff_dst, w.strides, w.dilates,
                                  w.pad_begin, w.pad_end),
          attr, engine, hint, true};
}

template <class Backward, class Forward, class Visit>
bool each_window_backward_data(const dnnl::engine& engine, dnnl::algorithm algorithm,
                               const Desc& diff_src, const Desc& weights, const Desc& diff_dst,
                               const WindowDims& w, const typename Forward::primitive_desc& hint,
                               const dnnl::primitive_attr& attr, Visit&& visit) {
  const typename Backward::desc desc(algorithm, diff_src, weights, diff_dst, w.strides, w.dilates,
                                     w.pad_begin, w.pad_end);
  typename Backward::primitive_desc pd(desc, attr, engine, hint, true);
  while (pd) {
    if (visit(pd)) return true;
    if (!pd.next_impl()) break;
  }
  return false;
}

template <class Backward, class Forward>
typename Backward::primitive_desc window_backward_weights(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& src,
    const Desc& diff_weights, const Desc& diff_dst, const WindowDims& w,
    const typename Forward::primitive_desc& hint, const dnnl::primitive_attr& attr) {
  return {typename Backward::desc(algorithm, src, diff_weights, diff_dst, w.strides, w.dilates,
                                  w.pad_begin, w.pad_end),
          attr, engine, hint, true};
}

using PoolForward = dnnl::pooling_v2_forward;
using PoolBackward = dnnl::pooling_v2_backward;

inline PoolForward::primitive_desc pool_forward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                                dnnl::algorithm algorithm, const Desc& src,
                                                const Desc& dst, const Dims& kernel,
                                                const WindowDims& w,
                                                const dnnl::primitive_attr& attr) {
  return {PoolForward::desc(kind, algorithm, src, dst, w.strides, kernel, w.dilates, w.pad_begin,
                            w.pad_end),
          attr, engine, true};
}

inline PoolBackward::primitive_desc pool_backward(const dnnl::engine& engine,
                                                  dnnl::algorithm algorithm, const Desc& diff_src,
                                                  const Desc& diff_dst, const Dims& kernel,
                                                  const WindowDims& w,
                                                  const PoolForward::primitive_desc& hint,
                                                  const dnnl::primitive_attr& attr) {
  return {PoolBackward::desc(algorithm, diff_src, diff_dst, w.strides, kernel, w.dilates,
                             w.pad_begin, w.pad_end),
          attr, engine, hint, true};
}

inline dnnl::matmul::primitive_desc matmul(const dnnl::engine& engine, const Desc& src,
                                           const Desc& weights, const Desc& bias, const Desc& dst,
                                           const dnnl::primitive_attr& attr,
                                           std::string_view wanted) {
  // The list of implementations looks at the description again for each: it must outlive the list.
  const auto desc = bias.dims().empty() ? dnnl::matmul::desc(src, weights, dst)
                                        : dnnl::matmul::desc(src, weights, bias, dst);
  return named_or_first([&] { return dnnl::matmul::primitive_desc(desc, attr, engine, true); },
                        wanted);
}

inline dnnl::concat::primitive_desc concat(const dnnl::engine& engine, const Desc& dst, int axis,
                                           const std::vector<Desc>& srcs,
                                           const dnnl::primitive_attr& attr) {
  return {dst, axis, srcs, engine, attr};
}

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float alpha,
                           float beta) {
  ops.append_eltwise(1.f, algorithm, alpha, beta);
}

inline const dnnl_convolution_desc_t& operation_of(
    const dnnl::convolution_forward::primitive_desc& pd) {
  const dnnl_convolution_desc_t* found = nullptr;
  dnnl::error::wrap_c_api(
      dnnl_primitive_desc_query(pd.get(), dnnl_query_convolution_d, 0, static_cast<void*>(&found)),
      "could not read a convolution's description");
  return *found;
}

inline WindowDims window_of(const dnnl::convolution_forward::primitive_desc& pd) {
  const auto& op = operation_of(pd);
  const auto rank = op.src_desc.ndims - 2;
  const auto dims = [rank](const dnnl_dims_t& all) { return Dims(all, all + rank); };
  return {dims(op.strides), dims(op.dilates), dims(op.padding[0]), dims(op.padding[1])};
}

inline dnnl::algorithm algorithm_of(const dnnl::convolution_forward::primitive_desc& pd) {
  return static_cast<dnnl::algorithm>(operation_of(pd).alg_kind);
}

/// The algorithm of an element-wise post-op.
inline dnnl::algorithm eltwise_of(const dnnl::post_ops& ops, int index, float& alpha, float& beta) {
  dnnl::algorithm algorithm{};
  float scale = 1;
  ops.get_params_eltwise(index, scale, algorithm, alpha, beta);
  return algorithm;
}

#endif

}  // namespace fovea::engine::compat
