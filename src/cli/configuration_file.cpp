// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/configuration_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/organisation_command.hpp"
#include "service/organisation/apply_file.hpp"

namespace syncline::cli {

std::optional<service::Configuration> read_configuration_file(const std::string& file) {
  const std::string name = file == "-" ? "standard input" : file;
  std::ifstream opened;
  std::error_code error;
  if (file != "-") {
    if (!std::filesystem::is_directory(file, error)) opened.open(file, std::ios::binary);
    if (!opened.is_open()) {
      complain(fmt::format("{}: cannot be opened", shown(name)));
      return std::nullopt;
    }
  }
  std::istream& input = file == "-" ? std::cin : opened;
  auto read = service::read_apply_file(input);
  if (read) return std::move(*read);
  for (const service::FileProblem& problem : read.error()) complain(problem.describe(shown(name)));
  if (read.error().size() >= service::apply_problems_limit) complain("… and perhaps more");
  return std::nullopt;
}

}  // namespace syncline::cli
