# cohort-flow from R: data frames to the program and back. It needs no package; with `arrow` installed, tables go as
# Parquet, and otherwise as CSV with all digits of every number.
#
#   source("cohort_flow.R")
#   cf_fit(train, "out/model", "--time-budget", "60s")
#   cf_score(new, "out/model")                    # log_prob of each row
#   cf_flag(new, "out/model", alpha = 0.01)       # p-values, verdicts and explanations
#
# Options of the program are given as further arguments, as on the command line. What it says goes to the console,
# and an error of the program is an error of R.

# The program: the one that COHORT_FLOW_BINARY names, or the one on the PATH.
cf_program <- function() {
  named <- Sys.getenv("COHORT_FLOW_BINARY")
  program <- if (nzchar(named)) named else unname(Sys.which("cohort-flow"))
  if (!nzchar(program) || !file.exists(program)) {
    stop("the program cohort-flow is not installed; put it on the PATH, or name it in COHORT_FLOW_BINARY",
      call. = FALSE
    )
  }
  program
}

# Density of the rows of a data frame: writes a model folder and returns its path.
cf_fit <- function(df, model, ...) {
  folder <- .cf_folder()
  on.exit(unlink(folder, recursive = TRUE))
  bundle <- file.path(folder, "bundle")
  .cf_run("ingest", "wide-table", "--input", .cf_write(df, folder), "--output", bundle)
  .cf_run("fit", bundle, "--output", model, ...)
  invisible(model)
}

# Log-likelihoods of the rows of a data frame, in their order.
cf_score <- function(df, model, ...) .cf_ask("score", df, model, ...)

# p-values, verdicts and explanations of the rows of a data frame, in their order. One of alpha, the level of
# p-values, and fdr, the share of false flags; the program's default without either.
cf_flag <- function(df, model, alpha = NULL, fdr = NULL, ...) {
  level <- c(
    if (!is.null(alpha)) c("--alpha", .cf_number(alpha)),
    if (!is.null(fdr)) c("--fdr", .cf_number(fdr))
  )
  .cf_ask("flag", df, model, level, ...)
}

# Synthetic rows.
cf_sample <- function(model, n, ...) {
  folder <- .cf_folder()
  on.exit(unlink(folder, recursive = TRUE))
  output <- file.path(folder, "answer.csv")
  .cf_run("sample", model, "--n", .cf_number(n), "--output", output, ...)
  .cf_read(output)
}

.cf_ask <- function(what, df, model, ...) {
  folder <- .cf_folder()
  on.exit(unlink(folder, recursive = TRUE))
  output <- file.path(folder, "answer.csv")
  .cf_run(what, model, "--input", .cf_write(df, folder), "--output", output, ...)
  answer <- .cf_read(output)
  if (nrow(answer) != nrow(df)) {
    stop("the program answered for ", nrow(answer), " of ", nrow(df), " rows", call. = FALSE)
  }
  answer
}

.cf_folder <- function() {
  folder <- tempfile("cohort-flow-")
  dir.create(folder, mode = "0700")
  folder
}

.cf_run <- function(...) {
  words <- c("--quiet", as.character(unlist(list(...))))
  told <- tempfile("cohort-flow-messages-")
  on.exit(unlink(told))
  status <- system2(cf_program(), shQuote(words), stdout = told, stderr = told)
  said <- readLines(told, warn = FALSE)
  if (status != 0) stop(paste(said, collapse = "\n"), call. = FALSE)
  if (length(said) > 0) message(paste(said, collapse = "\n"))
}

# A number with all its digits: 17 of them tell any two numbers apart.
.cf_number <- function(x) {
  text <- formatC(x, digits = 17, format = "g", width = 1)
  # 15 digits are easier to read, where they are the same number.
  short <- formatC(x, digits = 15, format = "g", width = 1)
  same <- !is.na(x) & suppressWarnings(as.numeric(short)) == x
  trimws(ifelse(same, short, text))
}

.cf_write <- function(df, folder) {
  if (!is.data.frame(df) || nrow(df) == 0) {
    stop("a data frame with at least one row is needed", call. = FALSE)
  }
  nested <- names(df)[vapply(df, function(x) is.list(x) || !is.null(dim(x)), logical(1))]
  if (length(nested) > 0) {
    stop("columns that hold more than a value in a row: ", paste(nested, collapse = ", "), call. = FALSE)
  }
  if (requireNamespace("arrow", quietly = TRUE)) {
    path <- file.path(folder, "table.parquet")
    arrow::write_parquet(df, path)
    return(path)
  }
  texts <- lapply(df, function(x) {
    out <- if (is.factor(x) || is.character(x)) {
      as.character(x)
    } else if (inherits(x, "POSIXt")) {
      format(x, "%Y-%m-%dT%H:%M:%OS6Z", tz = "UTC")
    } else if (inherits(x, "Date")) {
      format(x, "%Y-%m-%d")
    } else if (is.logical(x)) {
      ifelse(x, "true", "false")
    } else if (inherits(x, "integer64") || is.integer(x)) {
      as.character(x)
    } else {
      .cf_number(as.numeric(x))
    }
    out[is.na(x)] <- NA
    out
  })
  path <- file.path(folder, "table.csv")
  utils::write.csv(as.data.frame(texts, check.names = FALSE, optional = TRUE), path,
    row.names = FALSE, na = "", fileEncoding = "UTF-8"
  )
  path
}

.cf_read <- function(path) {
  utils::read.csv(path, check.names = FALSE, na.strings = "", encoding = "UTF-8", stringsAsFactors = FALSE)
}
