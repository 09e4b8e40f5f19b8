//! Record log-likelihood of any density: the bound of DESIGN over noise draws.
