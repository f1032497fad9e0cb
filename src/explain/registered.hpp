#pragma once

#include "fovea/method.hpp"

namespace fovea::explain {

template <class... Methods>
struct Types {};

/// Every method, in the order in which users are shown them.
using Registered =
    Types<GradCam, Cam, GradCamPlusPlus, SmoothGradCamPlusPlus, XGradCam, LayerCam, HiResCam,
          GradCamElementwise, EigenCam, EigenGradCam, KpcaCam, Fem, FinerCam, ShapleyCam,
          ReciproCam, AblationCam, ScoreCam, SsCam, IsCam, ActivationMap, RandomCam, FullGrad,
          Saliency, GradientXInput, SmoothGrad, SmoothGradSquared, VarGrad, IntegratedGradients,
          GuidedBackprop, Deconvolution, GuidedGradCam, DeepLift, DeepShap, GradientShap, Lrp,
          Occlusion, Greydanus, Rise, Lime, KernelShap, Aise>;

}  // namespace fovea::explain
