// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/cyrus_lab.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/text.hpp"
#include "tests/support/lab_script.hpp"

namespace syncline::testing {

namespace fs = std::filesystem;

Result<std::unique_ptr<CyrusLab>> CyrusLab::start() {
  // A port that was free may be taken when the server comes to it.
  LabOutcome outcome;
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::string pattern = "/tmp/syncline-cyrus.XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
      return fail(ErrorDomain::local, "lab-failed", "no folder can be made in /tmp");
    std::unique_ptr<CyrusLab> lab(new CyrusLab);
    lab->folder_ = pattern;
    outcome = run_lab_command("LAB_REMOVE=yes LAB_PARENT=" + std::to_string(::getpid()) + " " +
                              lab_script("cyrus.sh") + " start " + pattern);
    if (outcome.status == 3) return fail(ErrorDomain::local, "missing", outcome.output);
    if (outcome.status != 0) continue;
    auto said = read_lab_settings(lab->folder_ / "env");
    const auto port = [&](const char* name) {
      return static_cast<std::uint16_t>(text::parse_int(said[name]).value_or(0));
    };
    lab->ports_ = {.imap = port("LAB_IMAP"),
                   .imaps = port("LAB_IMAPS"),
                   .imap_expired = port("LAB_IMAP_EXPIRED"),
                   .imaps_expired = port("LAB_IMAPS_EXPIRED")};
    return lab;
  }
  return lab_failed("cyrus.sh", outcome);
}

CyrusLab::~CyrusLab() {
  if (folder_.empty()) return;
  const LabOutcome outcome = run_lab_command(lab_script("cyrus.sh") + " stop " + folder_.string());
  std::error_code ignored;
  if (outcome.status == 0)
    fs::remove_all(folder_, ignored);
  else
    std::fprintf(stderr, "Cyrus in %s did not stop: %s\n", folder_.c_str(), outcome.output.c_str());
}

Result<void> CyrusLab::deliver(std::string_view user, std::string_view message) {
  const fs::path file = folder_ / "delivery.eml";
  {
    std::ofstream out(file, std::ios::binary);
    out << message;
  }
  const LabOutcome outcome = run_lab_command(lab_script("cyrus.sh") + " deliver " + folder_.string() + " " +
                                             std::string(user) + " " + file.string());
  if (outcome.status != 0) return lab_failed("delivering", outcome);
  return {};
}

Result<void> CyrusLab::append_all(std::string_view user, const fs::path& folder) {
  const LabOutcome outcome = run_lab_command(lab_script("cyrus_append.py") + " " + folder_.string() + " " +
                                             std::string(user) + " " + folder.string());
  if (outcome.status != 0) return lab_failed("appending", outcome);
  return {};
}

Result<void> CyrusLab::kick(std::string_view user) {
  const LabOutcome outcome =
      run_lab_command(lab_script("cyrus.sh") + " kick " + folder_.string() + " " + std::string(user));
  if (outcome.status != 0) return lab_failed("kicking", outcome);
  return {};
}

}  // namespace syncline::testing
