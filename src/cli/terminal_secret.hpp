// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Secrets from a person or a pipe, never from the command line.
#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace syncline::cli {

/// Asks on the controlling terminal without echo. Errors: input "no-terminal"; local "interrupted" (Ctrl-C).
Result<Secret> prompt_secret(const std::string& prompt);
/// The first line of standard input, at most 64 KiB. Error: input "no-secret" if it is empty or longer.
Result<Secret> read_secret_line();

}  // namespace syncline::cli
