//! ButterflyFlow (Meng et al. 2022, arXiv:2209.13774) with hand-written gradients.
