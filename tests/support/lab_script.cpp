// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/lab_script.hpp"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace syncline::testing {

std::string lab_script(std::string_view name) {
  return std::string(SYNCLINE_MAILSERVERS_DIR) + "/" + std::string(name);
}

LabOutcome run_lab_command(const std::string& command) {
  LabOutcome outcome;
  // Into a file: a server would keep a pipe open for its life.
  std::string file = "/tmp/syncline-lab-out.XXXXXX";
  const int descriptor = ::mkstemp(file.data());
  if (descriptor < 0) return outcome;
  ::close(descriptor);
  const int status = std::system((command + " >" + file + " 2>&1 </dev/null").c_str());
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ifstream in(file, std::ios::binary);
  outcome.output.assign(std::istreambuf_iterator<char>(in), {});
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  return outcome;
}

unexpected<Error> lab_failed(const std::string& what, const LabOutcome& outcome) {
  return fail(ErrorDomain::local, "lab-failed", what + ": " + outcome.output);
}

std::map<std::string, std::string> read_lab_settings(const std::filesystem::path& file) {
  std::map<std::string, std::string> settings;
  std::ifstream in(file);
  for (std::string word; in >> word;)
    if (const auto equals = word.find('='); equals != std::string::npos)
      settings[word.substr(0, equals)] = word.substr(equals + 1);
  return settings;
}

}  // namespace syncline::testing
