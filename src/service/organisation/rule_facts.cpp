// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/rule_facts.hpp"

#include "base/text.hpp"
#include "routing/rules/intake/field_text.hpp"

namespace syncline::service {

Wrong set_fact(Facts& facts, rules::Field field, const boost::json::value& value) {
  rules::FieldValues row;
  Wrong wrong;
  if (const auto* text = value.if_string()) {
    wrong = set_from_text(row, field, std::string_view(*text));
  } else if (const auto* truth = value.if_bool()) {
    wrong = set_from_bool(row, field, *truth);
  } else if (const auto* number = value.if_int64()) {
    wrong = set_from_int(row, field, *number);
  } else if (const auto* real = value.if_double()) {
    wrong = set_from_double(row, field, *real);
  } else {
    wrong = "a text, a number, true or false is expected";
  }
  if (wrong) return wrong;
  if (row.is_empty(field)) return "the text is empty; leave the setting out instead";
  facts[std::string(rules::name_of(field))] = row.printed(field);
  return std::nullopt;
}

boost::json::value get_fact(const Facts& facts, rules::Field field) {
  const auto found = facts.find(std::string(rules::name_of(field)));
  if (found == facts.end()) return nullptr;
  const std::string& text = found->second;
  if (text == "yes") return true;
  if (text == "no") return false;
  if (rules::info(field).kind == rules::FieldKind::integer) {
    if (const auto number = text::parse_int(text)) return *number;
  }
  return boost::json::value(text);
}

void copy_facts(const Facts& facts, rules::FieldValues& row) {
  for (const auto& [name, text] : facts) {
    // What is in `facts` went through set_fact, or comes from a store whose rules knew more: then it is left
    // out.
    if (const auto field = rules::field_from(name)) (void)set_from_text(row, *field, text);
  }
}

}  // namespace syncline::service
