// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `check` and `route` share: options that say where assignments come from, and the walk over them.
#include <functional>
#include <memory>
#include <string>

#include "base/exit_status.hpp"
#include "cli/check_report.hpp"

namespace CLI {
class App;
}

namespace syncline::cli {

struct AssignmentOptions {
  std::string file;
  std::string input;
  std::string format = "text";
  std::string as_of;
  std::string stage;
  std::string language;
  bool set = false;
  bool keep_going = false;
  // check --from-exchange
  std::string mailboxes;
  std::string servers;
  std::string profiles;
  std::string map;
};

void add_assignment_options(CLI::App& command, AssignmentOptions& options);

/// `--lang`, else the locale's variables.
rules::Language language_of(const AssignmentOptions& options);

/// Standard output, written in large pieces.
class Output {
 public:
  std::string& text() noexcept { return text_; }
  /// Writes once enough has come together, or all of it. False: it could not be written.
  bool flush(bool all);
  bool failed() const noexcept { return failed_; }

 private:
  std::string text_;
  bool failed_ = false;
};

/// Judges every row in order and hands it over; says what is wrong with the input on standard error.
/// `bad_row` is told of each row that could not be read. Refused if something was rejected.
ExitStatus for_each_assignment(const AssignmentOptions& options,
                               const std::function<void(const JudgedRow&)>& visit,
                               const std::function<void()>& bad_row);

}  // namespace syncline::cli
