// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/rule_json.hpp"

#include <fmt/format.h>

#include "service/views/json_text.hpp"

namespace syncline::service {
namespace {

using rules::Rule;

const rules::Group& group_of(const Rule& rule) {
  for (const rules::Group& group : rules::groups()) {
    for (const Rule& member : group.rules) {
      if (&member == &rule) return group;
    }
  }
  return rules::groups().front();
}

}  // namespace

std::string printed(const rules::Target& target) {
  struct Print {
    std::string operator()(rules::Word word) const { return std::string{to_string(word)}; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(rules::ToDefault) const { return "its default"; }
    std::string operator()(rules::AsOf) const { return "env_as_of"; }
    std::string operator()(rules::EarliestAllowed) const {
      return "env_as_of − env_process_from_max_days days";
    }
  };
  return std::visit(Print{}, target);
}

void append_rule_json(std::string& out, const Rule& rule, rules::Language language) {
  const rules::Group& group = group_of(rule);
  out.append("{\"id\":\"").append(rule.id).append("\",\"group\":\"").append(1, group.letter);
  out += "\",\"groupTitle\":";
  append_json(out, translated(language, group.title));
  out.append(",\"severity\":\"").append(to_string(rule.severity)).append("\",\"condition\":");
  append_json(out, rule.condition.printed());
  out += ",\"where\":{";
  bool first = true;
  for (const auto& [name, meaning] : rule.condition.shorthand()) {
    if (!first) out.push_back(',');
    first = false;
    append_key(out, name);
    append_json(out, meaning);
  }
  out += "},\"fields\":[";
  for (const rules::Field field : rule.fields) {
    if (field != rule.fields.front()) out.push_back(',');
    append_json(out, name_of(field));
  }
  out += "],\"message\":";
  append_json(out, translated(language, rule.message));
  out += ",\"remedy\":";
  append_json(out, translated(language, rule.remedy));
  out += ",\"changes\":[";
  first = true;
  for (const rules::Change& change : rule.change) {
    if (!first) out.push_back(',');
    first = false;
    out += "{\"field\":";
    append_json(out, name_of(change.field));
    out += ",\"to\":";
    if (change.to) {
      append_json(out, printed(*change.to));
    } else {
      out += "null";
    }
    out += ",\"when\":";
    append_json(out, change.where.printed());
    out.push_back('}');
  }
  out += "],\"source\":";
  append_json(out, rule.source);
  out += "}\n";
}

}  // namespace syncline::service
