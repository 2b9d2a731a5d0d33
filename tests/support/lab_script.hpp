// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The scripts of tests/mailservers, as the labs call them.
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::testing {

struct LabOutcome {
  int status = -1;
  std::string output;
};

/// The path of a script of tests/mailservers.
std::string lab_script(std::string_view name);

/// Runs a command of the shell and waits for it. Arguments come from tests: none needs quoting.
LabOutcome run_lab_command(const std::string& command);

/// Error local "lab-failed".
unexpected<Error> lab_failed(const std::string& what, const LabOutcome& outcome);

/// NAME=value words of a file.
std::map<std::string, std::string> read_lab_settings(const std::filesystem::path& file);

}  // namespace syncline::testing
