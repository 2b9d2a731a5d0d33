// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline rules list|show ID`: the catalogue for people, and docs/rules.md, from the code that judges.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/assignment_rows.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"
#include "routing/rules/report_texts.hpp"
#include "service/views/rule_json.hpp"

namespace syncline::cli {
namespace {

namespace texts = rules::texts;
using rules::Rule;
using rules::Severity;

struct RulesOptions {
  std::string format = "text";
  std::string language;
  std::string id;
};

using service::printed;

class TextPage {
 public:
  explicit TextPage(rules::Language language) : language_(language) {}

  void append_list(std::string& out) const {
    constexpr std::size_t kSeverityWidth = 8;
    for (const rules::Group& group : rules::groups()) {
      out += fmt::format("{}. {}\n", group.letter, translated(language_, group.title));
      for (const Rule& rule : group.rules) {
        out += fmt::format("  {}{}\n", padded(to_string(rule.severity), kSeverityWidth), rule.id);
        append_wrapped(out, std::string(kSeverityWidth + 2, ' '), translated(language_, rule.message));
      }
      out.push_back('\n');
    }
  }

  void append(std::string& out, const Rule& rule) const {
    out += fmt::format("{}  ({}", rule.id, to_string(rule.severity));
    if (rule.severity == Severity::stage) out += fmt::format(": {}", translated(language_, texts::kStage));
    out += ")\n\n";
    const auto labelled = [&](std::string_view label, std::string_view text) {
      append_wrapped(out, padded(translated(language_, label), 16), text);
    };
    labelled(texts::kMessage, translated(language_, rule.message));
    labelled(texts::kToDo, translated(language_, rule.remedy));
    labelled(texts::kCondition, rule.condition.printed());
    for (const auto& [name, meaning] : rule.condition.shorthand()) {
      append_wrapped(
          out, std::string(16, ' ') + std::string{translated(language_, texts::kWhere)} + " " + name + ": ",
          meaning);
    }
    std::string fields;
    for (const rules::Field field : rule.fields) {
      if (!fields.empty()) fields += ", ";
      fields += name_of(field);
    }
    labelled(texts::kFields, fields);
    for (const rules::Change& change : rule.change) {
      if (!change.to) continue;
      std::string text = fmt::format("{} → {}", name_of(change.field), printed(*change.to));
      if (!change.where.always())
        text += fmt::format(" ({} {})", translated(language_, texts::kWhere), change.where.printed());
      labelled(texts::kChange, text);
    }
    labelled(texts::kSource, rule.source);
  }

 private:
  rules::Language language_;
};

// A cell of a Markdown table; what looks like HTML or a column's end is escaped.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

class MarkdownPage {
 public:
  explicit MarkdownPage(rules::Language language) : language_(language) {}

  void append_list(std::string& out) const {
    out +=
        "# Rules for assigning mailboxes to profiles\n\n"
        "<!-- Made by `syncline rules list --format markdown`; a test compares. Edit routing/rules instead. "
        "-->\n\n";
    out += fmt::format("The {} rules that `syncline check` judges by, and the fields they read.\n\n",
                       rules::all_rules().size());
    out +=
        "- Every rule is judged on its own. `reject` refuses the assignment, `warn` allows it with a remark, "
        "`info` "
        "changes nothing; `stage` warns while `stage = assign` and rejects while `stage = enable`.\n"
        "- A comparison with an empty field does not hold, whatever the operator.\n"
        "- Without a profile (`prof_type = none`) only group A, PROFILE-MISSING and PROFILE-DEFAULT-APPLIED "
        "speak.\n"
        "- Days are calendar days in UTC; the day of the verdict is the field `env_as_of`.\n"
        "- A fix sets choices only (profile, request, switches). Facts, approvals and rights are never part "
        "of one: "
        "writing them down does not make them true.\n\n";
    append_fields(out);
    append_shorthand(out);
    out += "## Rules\n\n";
    for (const rules::Group& group : rules::groups()) {
      out += fmt::format("### {}. {}\n\n", group.letter, translated(language_, group.title));
      for (const Rule& rule : group.rules) append(out, rule, "####");
    }
    append_sources(out);
  }

  void append(std::string& out, const Rule& rule, std::string_view heading) const {
    out += fmt::format("{} {}\n\n", heading, rule.id);
    out += fmt::format("**{}** when `{}`\n\n", to_string(rule.severity), rule.condition.printed());
    out += fmt::format("- Message: {}\n- Remedy: {}\n", cell(translated(language_, rule.message)),
                       cell(translated(language_, rule.remedy)));
    for (const rules::Change& change : rule.change) {
      if (!change.to) continue;
      out += fmt::format("- Fix: `{}` → {}", name_of(change.field), cell(printed(*change.to)));
      if (!change.where.always()) out += fmt::format(", where `{}`", change.where.printed());
      out.push_back('\n');
    }
    out += "- Fields: ";
    for (const rules::Field field : rule.fields) {
      out += fmt::format("{}`{}`", field == rule.fields.front() ? "" : ", ", name_of(field));
    }
    out += fmt::format("\n- Source: {}\n\n", cell(rule.source));
  }

 private:
  static void append_fields(std::string& out) {
    out += "## Fields\n\n| field | values | meaning | if not given |\n|---|---|---|---|\n";
    for (const rules::Field field : rules::all_fields()) {
      const rules::FieldInfo& about = info(field);
      std::string values;
      switch (about.kind) {
        case rules::FieldKind::word:
          for (const rules::Word word : about.domain) {
            if (!values.empty()) values += ", ";
            values += to_string(word);
          }
          break;
        case rules::FieldKind::integer:
          values = "whole number";
          break;
        case rules::FieldKind::date:
          values = "date";
          break;
        case rules::FieldKind::text:
          values = "text";
          break;
      }
      if (about.may_be_empty) values += ", or empty";
      out += fmt::format("| `{}` | {} | {} | {} |\n", about.name, cell(values), cell(about.meaning),
                         about.default_text.empty() ? "stays empty" : cell(about.default_text));
    }
    out += "\n`case_id` or `id` is passed through; `group`, `note` and `expect_*` are ignored.\n\n";
  }

  static void append_shorthand(std::string& out) {
    out += "## Shorthand in conditions\n\n| name | stands for |\n|---|---|\n";
    std::vector<std::string> seen;
    for (const Rule* rule : rules::all_rules()) {
      for (const auto& [name, meaning] : rule->condition.shorthand()) {
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
        seen.push_back(name);
        out += fmt::format("| `{}` | `{}` |\n", name, meaning);
      }
    }
    out +=
        "\nProtocol pairs (incoming, outgoing) that a profile type allows:\n\n| type | pairs |\n|---|---|\n";
    for (const rules::Word type : info(rules::Field::prof_type).domain) {
      std::string pairs;
      for (const auto& pair : rules::allowed_pairs(type)) {
        pairs += fmt::format("{}({}, {})", pairs.empty() ? "" : ", ", to_string(pair.incoming),
                             to_string(pair.outgoing));
      }
      if (!pairs.empty()) out += fmt::format("| `{}` | {} |\n", to_string(type), pairs);
    }
    out.push_back('\n');
  }

  static void append_sources(std::string& out) {
    out += "## Sources\n\n| key | page |\n|---|---|\n";
    for (const auto& source : rules::source_keys())
      out += fmt::format("| {} | {} |\n", source.key, cell(source.page));
  }

  rules::Language language_;
};

rules::Language language_from_options(const RulesOptions& options) {
  AssignmentOptions shared;
  shared.language = options.language;
  return language_of(shared);
}

ExitStatus run_list(const RulesOptions& options) {
  Output output;
  const rules::Language language = language_from_options(options);
  if (options.format == "json") {
    for (const Rule* rule : rules::all_rules()) service::append_rule_json(output.text(), *rule, language);
  } else if (options.format == "markdown") {
    MarkdownPage{language}.append_list(output.text());
  } else {
    TextPage{language}.append_list(output.text());
  }
  return output.flush(true) ? ExitStatus::done : ExitStatus::local_trouble;
}

ExitStatus run_show(const RulesOptions& options) {
  const Rule* rule = rules::find_rule(options.id);
  if (rule == nullptr) {
    const std::string text = fmt::format("syncline: no rule {}; `syncline rules list` shows them all\n",
                                         text::escape_for_display(options.id));
    std::fwrite(text.data(), 1, text.size(), stderr);
    return ExitStatus::bad_input;
  }
  Output output;
  const rules::Language language = language_from_options(options);
  if (options.format == "json") {
    service::append_rule_json(output.text(), *rule, language);
  } else if (options.format == "markdown") {
    MarkdownPage{language}.append(output.text(), *rule, "#");
  } else {
    TextPage{language}.append(output.text(), *rule);
  }
  return output.flush(true) ? ExitStatus::done : ExitStatus::local_trouble;
}

void add_output_options(CLI::App& command, RulesOptions& options) {
  command.add_option("--format", options.format, "Format of the output")
      ->check(CLI::IsMember({"text", "json", "markdown"}))
      ->capture_default_str();
  command.add_option("--lang", options.language, "Language of messages (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
}

}  // namespace

void add_rules(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("rules", "The rules that assignments are judged by");
  command->require_subcommand(1);
  auto options = std::make_shared<RulesOptions>();
  CLI::App* list = command->add_subcommand("list", "All rules, by group");
  add_output_options(*list, *options);
  list->callback([options, &action] { action = [options](const Globals&) { return run_list(*options); }; });
  CLI::App* show = command->add_subcommand("show", "One rule: when it fires, what it says, what to change");
  show->add_option("ID", options->id, "Id of the rule")->required();
  add_output_options(*show, *options);
  show->callback([options, &action] { action = [options](const Globals&) { return run_show(*options); }; });
}

}  // namespace syncline::cli
