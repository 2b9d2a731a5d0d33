// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/check_json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "routing/rules/report_texts.hpp"
#include "service/views/json_text.hpp"

namespace syncline::service {
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

void append_route_line(std::string& out, const JudgedRow& row) {
  out += fmt::format(R"({{"row":{},"id":)", row.input.number);
  if (row.input.id) {
    append_json(out, *row.input.id);
  } else {
    out += "null";
  }
  out += fmt::format(R"(,"verdict":"{}","rejectedBy":[)", to_string(row.judgement.verdict));
  bool first = true;
  for (const rules::Finding& finding : row.judgement.findings) {
    if (finding.severity != rules::Severity::reject) continue;
    if (!first) out.push_back(',');
    first = false;
    append_json(out, finding.rule->id);
  }
  out += "],\"route\":";
  append_json(out, row.route);
  out += ",\"notes\":[";
  for (std::size_t i = 0; i < row.notes.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_json(out, row.notes[i]);
  }
  out += "]}\n";
}

JudgedRow RowJudge::judge(const rules::InputRow& row, std::vector<std::string> notes) {
  fill_defaults(assignment_, row.given, today_);
  const auto checked = judge_into(judgement_, assignment_);
  JudgedRow judged{row, assignment_, judgement_, std::nullopt, std::move(notes)};
  if (!checked) return judged;
  auto route = router::route(*checked);
  if (route) {
    judged.route = std::move(*route);
  } else if (route.error().code == router::kNoProfile) {
    judged.notes.emplace_back(translated(language_, texts::kDefaultProfileRoute));
  } else if (route.error().code == router::kNoDriver) {
    judged.notes.emplace_back(translated(language_, texts::kGraphRoute));
  } else {
    judged.notes.push_back(route.error().message);
  }
  return judged;
}

Result<std::string> check_lines(rules::RowReader& reader, const CheckWishes& wishes, rules::Day today) {
  constexpr std::size_t most_octets = std::size_t{64} << 20;
  const JsonReport report(wishes.language);
  RowJudge judge(wishes.language, today);
  std::string lines;
  rules::InputRow row;
  for (std::size_t count = 0;; ++count) {
    auto more = reader.next(row);
    if (!more) return fail(ErrorDomain::input, "bad-row", more.error().describe("body"));
    if (!*more) return lines;
    if (count == wishes.most_rows)
      return fail(ErrorDomain::input, "too-many-rows",
                  fmt::format("One request may hold {} rows", wishes.most_rows));
    if (wishes.as_of && row.given.is_empty(Field::env_as_of))
      row.given.set_number(Field::env_as_of, *wishes.as_of);
    if (wishes.stage && row.given.is_empty(Field::stage)) row.given.set(Field::stage, *wishes.stage);
    const JudgedRow judged = judge.judge(row, {});
    if (wishes.routes_only)
      append_route_line(lines, judged);
    else
      report.append(lines, judged);
    if (lines.size() > most_octets)
      return fail(
          ErrorDomain::input, "too-many-rows",
          fmt::format("The answer would be longer than {} MiB: ask in several requests", most_octets >> 20));
  }
}

}  // namespace syncline::service
