// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/assignment_rows.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "routing/rules/intake/exchange_rows.hpp"
#include "routing/rules/intake/open.hpp"
#include "routing/rules/proposal.hpp"
#include "routing/rules/report_texts.hpp"

namespace syncline::cli {
namespace {

namespace texts = rules::texts;
using rules::Field;

rules::Day today() {
  return std::chrono::floor<std::chrono::days>(system_clock().now()).time_since_epoch().count();
}

void complain(std::string_view message) {
  const std::string line = fmt::format("syncline: {}\n", message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

// A file without a name: gone as soon as it is closed.
class Spool {
 public:
  bool fill_from(std::istream& input) {
    std::error_code error;
    std::string path = (std::filesystem::temp_directory_path(error) / "syncline-XXXXXX").string();
    const int descriptor = error ? -1 : ::mkstemp(path.data());
    if (descriptor < 0) return false;
    ::close(descriptor);
    file_.open(path, std::ios::in | std::ios::out | std::ios::binary | std::ios::trunc);
    std::filesystem::remove(path, error);
    if (!file_) return false;
    if (input.peek() != std::char_traits<char>::eof()) file_ << input.rdbuf();
    file_.flush();
    return rewind() && !input.bad();
  }
  bool rewind() {
    file_.clear();
    file_.seekg(0);
    return static_cast<bool>(file_);
  }
  std::istream& stream() noexcept { return file_; }

 private:
  std::fstream file_;
};

// Where rows come from, as often as they are asked for.
class Source {
 public:
  explicit Source(const AssignmentOptions& options) : options_(options) {}

  std::string name() const {
    if (!options_.mailboxes.empty()) return options_.mailboxes;
    return options_.file == "-" ? "standard input" : options_.file;
  }

  /// What is wrong with the source, if anything.
  std::optional<std::pair<ExitStatus, std::string>> prepare() {
    if (!options_.mailboxes.empty()) return std::nullopt;
    if (options_.file == "-") {
      if (!options_.set) return std::nullopt;
      if (spool_.fill_from(std::cin)) return std::nullopt;
      return std::pair{ExitStatus::local_trouble,
                       std::string{"standard input cannot be kept in a temporary file, which --set needs"}};
    }
    std::error_code error;
    if (std::filesystem::is_directory(options_.file, error)) {
      return std::pair{ExitStatus::bad_input, fmt::format("{}: is a folder", options_.file)};
    }
    file_.open(options_.file, std::ios::binary);
    if (file_) return std::nullopt;
    return std::pair{ExitStatus::bad_input, fmt::format("{}: cannot be opened", options_.file)};
  }

  expected<std::unique_ptr<rules::RowReader>, std::string> open() {
    if (!options_.mailboxes.empty()) {
      return rules::read_exchange_rows(
          {options_.mailboxes, options_.servers, options_.profiles, options_.map});
    }
    std::istream& input = stream();
    if (&input != &std::cin) {
      input.clear();
      input.seekg(0);
    }
    std::optional<rules::InputFormat> format;
    if (!options_.input.empty()) format = rules::input_format_from(options_.input);
    if (!format && options_.file != "-") format = rules::input_format_of_file(options_.file);
    return rules::open_rows(input, format ? *format : rules::guess_input_format(input));
  }

  bool read_failed() const {
    if (!options_.mailboxes.empty()) return false;
    return options_.file == "-" ? std::cin.bad() : file_.bad();
  }

 private:
  std::istream& stream() {
    if (options_.file != "-") return file_;
    return options_.set ? spool_.stream() : std::cin;
  }

  const AssignmentOptions& options_;
  std::ifstream file_;
  Spool spool_;
};

class Walk {
 public:
  Walk(const AssignmentOptions& options, const std::function<void(const JudgedRow&)>& visit,
       const std::function<void()>& bad_row)
      : options_(options),
        language_(language_of(options)),
        source_(options),
        visit_(visit),
        bad_row_(bad_row) {}

  ExitStatus run() {
    if (!options_.as_of.empty()) as_of_ = *rules::parse_day(options_.as_of);
    if (auto trouble = source_.prepare()) {
      complain(trouble->second);
      return trouble->first;
    }
    rules::Proposal proposal;
    if (options_.set) {
      const auto add = [&](rules::InputRow& row) {
        fill_defaults(assignment_, row.given, today_);
        proposal.add(assignment_);
      };
      if (!each_row(add, [](const rules::InputProblem&) {})) return *failure_;
      proposal.close();
    }
    const auto judge = [&](rules::InputRow& row) {
      std::vector<std::string> notes;
      if (options_.set) note_disagreements(fill_from(proposal, row.given, today_), notes);
      judge_row(row, std::move(notes));
    };
    const auto bad = [&](const rules::InputProblem&) { bad_row_(); };
    if (!each_row(judge, bad)) return *failure_;
    if (any_bad_) return ExitStatus::bad_input;
    return any_rejected_ ? ExitStatus::refused : ExitStatus::done;
  }

 private:
  template <class Take, class Bad>
  bool each_row(Take take, Bad bad) {
    // With --set the rows are walked twice; what is wrong with them is said once.
    const bool first_pass = !walked_;
    walked_ = true;
    auto reader = source_.open();
    if (!reader) {
      complain(reader.error());
      return stop(ExitStatus::bad_input);
    }
    rules::InputRow row;
    for (;;) {
      auto more = (*reader)->next(row);
      if (source_.read_failed()) {
        complain(fmt::format("{}: reading failed", source_.name()));
        return stop(ExitStatus::local_trouble);
      }
      if (!more) {
        if (first_pass) complain(more.error().describe(source_.name()));
        any_bad_ = true;
        bad(more.error());
        if (more.error().fatal) return stop(ExitStatus::bad_input);
        if (options_.keep_going) continue;
        complain("stopped there; --keep-going judges the other rows too");
        return stop(ExitStatus::bad_input);
      }
      if (!*more) return true;
      if (as_of_ && row.given.is_empty(Field::env_as_of)) row.given.set_number(Field::env_as_of, *as_of_);
      if (!options_.stage.empty() && row.given.is_empty(Field::stage)) {
        row.given.set(Field::stage, options_.stage == "enable" ? rules::Word::enable : rules::Word::assign);
      }
      take(row);
    }
  }

  bool stop(ExitStatus status) {
    failure_ = status;
    return false;
  }

  void judge_row(const rules::InputRow& row, std::vector<std::string> notes) {
    const JudgedRow judged = judge_.judge(row, std::move(notes));
    any_rejected_ = any_rejected_ || judged.judgement.verdict == rules::Verdict::reject;
    visit_(judged);
  }

  void note_disagreements(const std::vector<rules::Disagreement>& disagreements,
                          std::vector<std::string>& notes) const {
    for (const auto& disagreement : disagreements) {
      const rules::Argument arguments[] = {{"field", name_of(disagreement.field)},
                                           {"stated", disagreement.stated},
                                           {"computed", disagreement.computed}};
      notes.push_back(rules::filled(translated(language_, texts::kDisagreement), arguments));
    }
  }

  const AssignmentOptions& options_;
  rules::Language language_;
  Source source_;
  const std::function<void(const JudgedRow&)>& visit_;
  const std::function<void()>& bad_row_;
  rules::Day today_ = today();
  std::optional<rules::Day> as_of_;
  service::RowJudge judge_{language_, today_};
  rules::Assignment assignment_;
  bool walked_ = false;
  bool any_bad_ = false;
  bool any_rejected_ = false;
  std::optional<ExitStatus> failure_;
};

}  // namespace

void add_assignment_options(CLI::App& command, AssignmentOptions& options) {
  command.add_option("FILE", options.file, "Assignments to judge; - for standard input")->type_name("FILE|-");
  command
      .add_option("--input", options.input,
                  "Format of FILE (default: by its ending, else by its first character)")
      ->check(CLI::IsMember({"csv", "json", "jsonl", "toml"}));
  command.add_option("--format", options.format, "Format of the output")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command
      .add_option("--as-of", options.as_of,
                  "Day for which rows are judged that name none in env_as_of (default: today)")
      ->type_name("YYYY-MM-DD")
      ->check([](const std::string& text) {
        return rules::parse_day(text) ? std::string{} : fmt::format("{} is not a date YYYY-MM-DD", text);
      });
  command
      .add_option("--stage", options.stage, "Step for which rows are judged that name none (default: assign)")
      ->check(CLI::IsMember({"assign", "enable"}));
  command.add_flag(
      "--set", options.set,
      "The rows are one proposal: duplicates, mailboxes of a profile and the organisation's other method "
      "are computed from them");
  command.add_flag("--keep-going", options.keep_going,
                   "Judge the rows after a bad one too (the exit status stays 2)");
  command.add_option("--lang", options.language, "Language of messages (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
}

rules::Language language_of(const AssignmentOptions& options) {
  if (const auto language = rules::language_from(options.language)) return *language;
  return rules::language_of_locale(environment("LC_ALL"), environment("LC_MESSAGES"), environment("LANG"));
}

bool Output::flush(bool all) {
  constexpr std::size_t kEnough = std::size_t{1} << 16U;
  if (text_.empty() || (!all && text_.size() < kEnough)) return !failed_;
  failed_ = failed_ || std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size();
  if (all) failed_ = std::fflush(stdout) != 0 || failed_;
  text_.clear();
  return !failed_;
}

ExitStatus for_each_assignment(const AssignmentOptions& options,
                               const std::function<void(const JudgedRow&)>& visit,
                               const std::function<void()>& bad_row) {
  std::ios::sync_with_stdio(false);
  return Walk{options, visit, bad_row}.run();
}

}  // namespace syncline::cli
