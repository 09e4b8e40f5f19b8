# The functions of src/r/cohort_flow.R on a data frame of several types. Prints "all of R is well" at the end.
source(commandArgs(trailingOnly = TRUE)[1])

set.seed(1)
make <- function(n) {
  severity <- rnorm(n)
  df <- data.frame(
    "heart rate" = round(80 + 12 * severity + 6 * rnorm(n)),
    lactate = exp(0.5 + 0.4 * severity + 0.2 * rnorm(n)),
    sex = factor(ifelse(rnorm(n) > 0, "F", "M")),
    ventilated = severity + rnorm(n) > 1,
    gcs = as.integer(pmin(15, pmax(3, round(14 - 2 * pmax(severity, 0))))),
    check.names = FALSE
  )
  df$lactate[runif(n) < 0.2] <- NA
  df
}
folder <- tempfile()
model <- file.path(folder, "model")
dir.create(folder)
cf_fit(make(400), model, "--model", "gmm")

new <- make(60)
scores <- cf_score(new, model)
stopifnot(nrow(scores) == 60, is.numeric(scores$log_prob), all(is.finite(scores$log_prob)))
# The order of rows is kept, and a row's score is its own.
stopifnot(identical(cf_score(new[60:1, ], model)$log_prob, rev(scores$log_prob)))

wrong <- new
wrong$"heart rate"[7] <- 800
flags <- cf_flag(wrong, model, alpha = 0.05)
stopifnot(which.min(flags$p_value) == 7, flags$feature_1[7] == "heart rate")
stopifnot(nrow(cf_sample(model, 25)) == 25)

says <- function(expression) tryCatch({ expression; "nothing" }, error = conditionMessage)
stopifnot(grepl("at least one row", says(cf_score(new[0, ], model))))
stopifnot(grepl("lactate", says(cf_score(new[, c("heart rate", "sex")], model))))
stopifnot(grepl("not a model folder", says(cf_score(new, folder))))
stopifnot(.cf_number(0.1) == "0.1", as.numeric(.cf_number(1 / 3)) == 1 / 3, .cf_number(NA_real_) == "NA")
cat("all of R is well\n")
