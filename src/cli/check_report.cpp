// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/check_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/json_text.hpp"
#include "cli/layout.hpp"
#include "routing/rules/report_texts.hpp"

namespace syncline::cli {
namespace {

namespace texts = rules::texts;
using rules::Field;
using rules::FieldKind;
using rules::Severity;
using rules::Verdict;

void append_value(std::string& out, const rules::FieldValues& values, Field field) {
  if (values.is_empty(field)) {
    out += "null";
  } else if (info(field).kind == FieldKind::integer) {
    fmt::format_to(std::back_inserter(out), "{}", values.number(field));
  } else {
    append_json(out, values.printed(field));
  }
}

void append_leg(std::string& out, std::string_view name, const std::optional<router::LegRoute>& leg) {
  append_key(out, name);
  if (!leg) {
    out += "null";
    return;
  }
  fmt::format_to(std::back_inserter(out), R"({{"driver":"{}","location":)", to_string(leg->driver));
  if (leg->location.empty()) {
    out += "null";
  } else {
    append_json(out, leg->location);
  }
  fmt::format_to(
      std::back_inserter(out),
      R"(,"port":{},"tls":"{}","authentication":"{}","mechanism":"{}","autodiscover":{},"impersonation":{})",
      leg->port, to_string(leg->tls), to_string(leg->authentication), to_string(leg->mechanism),
      leg->autodiscover, leg->impersonation);
  out += ",\"why\":[";
  for (std::size_t i = 0; i < leg->why.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_json(out, leg->why[i]);
  }
  out += "]}";
}

std::string display(const rules::FieldValues& values, Field field, rules::Language language) {
  if (values.is_empty(field)) return std::string{translated(language, texts::kEmptyValue)};
  return text::escape_for_display(values.printed(field));
}

bool has_placeholder(std::string_view text) {
  return text.find('{') != std::string_view::npos;
}

}  // namespace

void append_json(std::string& out, const std::optional<router::Route>& route) {
  if (!route) {
    out += "null";
    return;
  }
  out.push_back('{');
  append_leg(out, "incoming", route->incoming);
  out.push_back(',');
  append_leg(out, "outgoing", route->outgoing);
  out.push_back(',');
  append_leg(out, "act", route->act);
  out.push_back('}');
}

std::string printed(const router::LegRoute& leg, rules::Language language) {
  const std::string_view driver = to_string(leg.driver);
  if (leg.location.empty()) {
    return fmt::format("{} {} ({})", driver, translated(language, texts::kByAutodiscover),
                       to_string(leg.mechanism));
  }
  if (leg.driver == router::Driver::ews) {
    return fmt::format("{} {} ({})", driver, text::escape_for_display(leg.location),
                       to_string(leg.mechanism));
  }
  return fmt::format("{} {}:{} (TLS {}, {})", driver, text::escape_for_display(leg.location), leg.port,
                     to_string(leg.tls), to_string(leg.mechanism));
}

void Tally::add(const JudgedRow& row) {
  ++verdicts_[static_cast<std::size_t>(row.judgement.verdict)];
  rules::FieldSet named;
  for (const rules::Finding& finding : row.judgement.findings) {
    ++rules_[{finding.rule, finding.severity}];
    if (finding.severity == Severity::info) continue;
    for (const Field field : finding.rule->fields) named.insert(field);
  }
  (rules::assumed(row.judgement, row.assignment) & named).for_each([&](Field field) {
    ++assumed_[static_cast<std::size_t>(field)];
  });
}

std::vector<Tally::OfRule> Tally::by_rule() const {
  std::vector<OfRule> found;
  for (const rules::Rule* rule : rules::all_rules()) {
    for (const Severity severity : {Severity::reject, Severity::warn, Severity::info}) {
      const auto entry = rules_.find({rule, severity});
      if (entry != rules_.end()) found.push_back({rule, severity, entry->second});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const OfRule& a, const OfRule& b) {
    return a.severity != b.severity ? a.severity < b.severity : a.rows > b.rows;
  });
  return found;
}

std::vector<Tally::OfField> Tally::assumed() const {
  std::vector<OfField> found;
  for (const Field field : rules::all_fields()) {
    if (const auto rows = assumed_[static_cast<std::size_t>(field)]; rows > 0) found.push_back({field, rows});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const OfField& a, const OfField& b) { return a.rows > b.rows; });
  return found;
}

JsonReport::JsonReport(rules::Language language) : language_(language) {
  const auto encoded = [](std::string_view text) {
    std::string out;
    if (!has_placeholder(text)) append_json(out, text);
    return out;
  };
  for (const rules::Rule* rule : rules::all_rules()) {
    texts_[rule] = {encoded(translated(language_, rule->message)),
                    encoded(translated(language_, rule->remedy)), encoded(rule->source)};
  }
}

void JsonReport::append_finding(std::string& out, const rules::Finding& finding,
                                const rules::Assignment& assignment) const {
  const rules::Rule& rule = *finding.rule;
  const Texts& encoded = texts_.at(&rule);
  out.append("{\"rule\":\"").append(rule.id).append("\",\"severity\":\"").append(to_string(finding.severity));
  out += "\",\"fields\":[";
  const Field first = field_to_change(rule, assignment);
  out.append("\"").append(name_of(first)).append("\"");
  for (const Field field : rule.fields) {
    if (field != first) out.append(",\"").append(name_of(field)).append("\"");
  }
  out += "],\"message\":";
  if (encoded.message.empty()) {
    append_json(out, message_of(rule, assignment.values, language_));
  } else {
    out += encoded.message;
  }
  out += ",\"remedy\":";
  if (encoded.remedy.empty()) {
    append_json(out, remedy_of(rule, assignment.values, language_));
  } else {
    out += encoded.remedy;
  }
  out += ",\"fix\":";
  const rules::Fix fix = fix_for(rule, assignment);
  if (fix.fields.empty()) {
    out += "null";
  } else {
    char before = '{';
    for (const Field field : fix.fields) {
      out.push_back(before);
      append_key(out, name_of(field));
      append_value(out, fix.values, field);
      before = ',';
    }
    out.push_back('}');
  }
  out.append(",\"source\":").append(encoded.source).append("}");
}

void JsonReport::append(std::string& out, const JudgedRow& row) const {
  fmt::format_to(std::back_inserter(out), R"({{"row":{},"id":)", row.input.number);
  if (row.input.id) {
    append_json(out, *row.input.id);
  } else {
    out += "null";
  }
  out.append(",\"verdict\":\"").append(to_string(row.judgement.verdict));
  out.append("\",\"asOf\":\"").append(rules::format_day(row.assignment.values.number(Field::env_as_of)));
  out += "\",\"findings\":[";
  bool first = true;
  for (const rules::Finding& finding : row.judgement.findings) {
    if (!first) out.push_back(',');
    first = false;
    append_finding(out, finding, row.assignment);
  }
  out += "],\"assumed\":[";
  first = true;
  assumed(row.judgement, row.assignment).for_each([&](Field field) {
    out.append(first ? "\"" : ",\"").append(name_of(field)).append("\"");
    first = false;
  });
  out += "],\"route\":";
  append_json(out, row.route);
  out += ",\"notes\":[";
  for (std::size_t i = 0; i < row.notes.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_json(out, row.notes[i]);
  }
  out += "]}\n";
}

void JsonReport::append_summary(std::string& out, const Tally& tally) const {
  fmt::format_to(std::back_inserter(out),
                 R"({{"rows":{},"accept":{},"warn":{},"reject":{},"badRows":{},"rules":[)", tally.rows(),
                 tally.count(Verdict::accept), tally.count(Verdict::warn), tally.count(Verdict::reject),
                 tally.bad_rows());
  bool first = true;
  for (const auto& entry : tally.by_rule()) {
    if (!first) out.push_back(',');
    first = false;
    fmt::format_to(std::back_inserter(out), R"({{"rule":"{}","severity":"{}","rows":{}}})", entry.rule->id,
                   to_string(entry.severity), entry.rows);
  }
  out += "],\"assumed\":{";
  first = true;
  for (const auto& entry : tally.assumed()) {
    if (!first) out.push_back(',');
    first = false;
    append_key(out, name_of(entry.field));
    fmt::format_to(std::back_inserter(out), "{}", entry.rows);
  }
  out += "}}\n";
}

namespace {

constexpr std::size_t kRowWidth = 6;
constexpr std::size_t kVerdictWidth = 9;
constexpr std::size_t kMailboxWidth = 38;

std::string_view verdict_text(Verdict verdict) noexcept {
  if (verdict == Verdict::reject) return texts::kReject;
  return verdict == Verdict::warn ? texts::kWarn : texts::kAccept;
}

std::string_view severity_text(Severity severity) noexcept {
  if (severity == Severity::reject) return texts::kReject;
  return severity == Severity::warn ? texts::kWarn : texts::kInfo;
}

}  // namespace

void TextReport::append_header(std::string& out) const {
  out += padded(tr(texts::kRow), kRowWidth) + padded(tr(texts::kVerdict), kVerdictWidth) +
         padded(tr(texts::kMailbox), kMailboxWidth);
  out.append(tr(texts::kProfile)).append("\n").append(kColumns, '-').append("\n");
}

void TextReport::append_finding(std::string& out, const rules::Finding& finding,
                                const rules::Assignment& assignment) const {
  const rules::Rule& rule = *finding.rule;
  const rules::FieldValues& values = assignment.values;
  const std::string indent(kRowWidth, ' ');
  const std::string deeper(kRowWidth + kVerdictWidth, ' ');
  out += indent + padded(tr(severity_text(finding.severity)), kVerdictWidth);
  out.append(rule.id).append("\n");
  append_wrapped(out, deeper, text::escape_for_display(message_of(rule, values, language_)));
  const auto labelled = [&](std::string_view label, const std::string& text) {
    append_wrapped(out, deeper + std::string{tr(label)} + " ", text);
  };
  labelled(texts::kToDo, text::escape_for_display(remedy_of(rule, values, language_)));
  const rules::Fix fix = fix_for(rule, assignment);
  const auto mark = [&](Field field) {
    return assignment.defaulted.contains(field) ? fmt::format(" {}", tr(texts::kAssumedMark)) : std::string{};
  };
  for (const Field field : fix.fields) {
    labelled(texts::kChange, fmt::format("{} = {} → {}{}", name_of(field), display(values, field, language_),
                                         display(fix.values, field, language_), mark(field)));
  }
  if (fix.fields.empty()) {
    const Field field = field_to_change(rule, assignment);
    labelled(texts::kLookAt,
             fmt::format("{} = {}{}", name_of(field), display(values, field, language_), mark(field)));
  }
}

void TextReport::append(std::string& out, const JudgedRow& row) const {
  const rules::FieldValues& values = row.assignment.values;
  std::string mailbox = values.is_empty(Field::mbx_address)
                            ? std::string{tr(texts::kNoAddress)}
                            : text::escape_for_display(values.text(Field::mbx_address));
  if (row.input.id) mailbox += fmt::format(" [{}]", text::escape_for_display(*row.input.id));
  std::string profile = values.is(Field::prof_type, rules::Word::none) ? std::string{tr(texts::kNoProfile)}
                                                                       : values.printed(Field::prof_type);
  if (!values.is_empty(Field::prof_name))
    profile.append(" ").append(text::escape_for_display(values.text(Field::prof_name)));
  const std::string begin = padded(fmt::format("{}", row.input.number), kRowWidth) +
                            padded(tr(verdict_text(row.judgement.verdict)), kVerdictWidth);
  if (display_width(mailbox) < kMailboxWidth) {
    append_wrapped(out, begin + padded(mailbox, kMailboxWidth), profile);
  } else {
    append_wrapped(out, begin, mailbox);
    append_wrapped(out, std::string(kRowWidth + kVerdictWidth, ' '), profile);
  }
  for (const rules::Finding& finding : row.judgement.findings) append_finding(out, finding, row.assignment);
  const std::string indent(kRowWidth, ' ');
  const auto labelled = [&](std::string_view label, const std::string& text) {
    append_wrapped(out, indent + padded(tr(label), kVerdictWidth), text);
  };
  if (row.route) {
    std::string legs;
    const auto add = [&](std::string_view name, const std::optional<router::LegRoute>& leg) {
      if (!leg) return;
      if (!legs.empty()) legs += "; ";
      legs += fmt::format("{} {}", tr(name), printed(*leg, language_));
    };
    const auto same_as_incoming = [&](const std::optional<router::LegRoute>& leg) {
      return leg && row.route->incoming &&
             printed(*leg, language_) == printed(*row.route->incoming, language_);
    };
    add(texts::kIncoming, row.route->incoming);
    if (!same_as_incoming(row.route->outgoing) || !same_as_incoming(row.route->act)) {
      add(texts::kOutgoing, row.route->outgoing);
      add(texts::kAct, row.route->act);
    } else {
      // Exchange: one server for everything.
      legs = fmt::format("{}, {}, {}: {}", tr(texts::kIncoming), tr(texts::kOutgoing), tr(texts::kAct),
                         printed(*row.route->incoming, language_));
    }
    if (!legs.empty()) labelled(texts::kRoute, legs);
  }
  for (const std::string& note : row.notes) labelled(texts::kNote, text::escape_for_display(note));
}

void TextReport::append_summary(std::string& out, const Tally& tally) const {
  const auto number = [](std::uint64_t value) { return fmt::format("{}", value); };
  const std::string rows = number(tally.rows());
  const std::string accept = number(tally.count(Verdict::accept));
  const std::string warn = number(tally.count(Verdict::warn));
  const std::string reject = number(tally.count(Verdict::reject));
  const std::string bad = number(tally.bad_rows());
  const rules::Argument counts[] = {
      {"rows", rows}, {"accept", accept}, {"warn", warn}, {"reject", reject}, {"count", bad}};
  append_wrapped(out, "", rules::filled(tr(texts::kSummary), counts));
  if (tally.bad_rows() > 0) append_wrapped(out, "", rules::filled(tr(texts::kBadRows), counts));
  const auto by_rule = tally.by_rule();
  if (by_rule.empty()) {
    if (tally.rows() > 0) append_wrapped(out, "", tr(texts::kNothingFound));
    return;
  }
  out.append("\n").append(tr(texts::kByRule)).append("\n\n");
  constexpr std::size_t kCountWidth = 8;
  constexpr std::size_t kSeverityWidth = 10;
  out += padded(tr(texts::kRows), kCountWidth) + padded(tr(texts::kSeverity), kSeverityWidth);
  out.append(tr(texts::kRuleAndRemedy)).append("\n").append(kColumns, '-').append("\n");
  for (const auto& entry : by_rule) {
    out +=
        padded(number(entry.rows), kCountWidth) + padded(tr(severity_text(entry.severity)), kSeverityWidth);
    out.append(entry.rule->id).append("\n");
    append_wrapped(out, std::string(kCountWidth + kSeverityWidth, ' '), tr(entry.rule->remedy));
  }
  if (const auto assumed = tally.assumed(); !assumed.empty()) {
    out.push_back('\n');
    append_wrapped(out, "", tr(texts::kAssumed));
    std::string listed;
    for (const auto& entry : assumed) {
      if (!listed.empty()) listed += ", ";
      listed += fmt::format("{} ({})", name_of(entry.field), entry.rows);
    }
    append_wrapped(out, "  ", listed);
  }
  out.push_back('\n');
  append_wrapped(out, "", tr(texts::kMore));
}

}  // namespace syncline::cli
