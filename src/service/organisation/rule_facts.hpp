// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Settings that only the rules read: fields of the catalogue with the catalogue's own domains.
#include <map>
#include <string>

#include "routing/rules/field_values.hpp"
#include "service/organisation/setting.hpp"

namespace syncline::service {

/// By the rules' name of the field; the value as the rules print it.
using Facts = std::map<std::string, std::string>;

Wrong set_fact(Facts& facts, rules::Field field, const boost::json::value& value);
/// null: not stated. Yes and no as true and false.
boost::json::value get_fact(const Facts& facts, rules::Field field);
/// Takes the stated facts over into a row.
void copy_facts(const Facts& facts, rules::FieldValues& row);

/// A setting whose key is the field's name without its prefix.
template <class Owner, class Member>
Setting<Owner> fact_setting(rules::Field field, Member member, std::string_view example) {
  const std::string_view name = rules::name_of(field);
  return {name.substr(name.find('_') + 1),
          rules::info(field).meaning,
          example,
          rules::info(field).kind == rules::FieldKind::date,
          [field, member](const Owner& owner) { return get_fact(member(owner), field); },
          [field, member](Owner& owner, const boost::json::value& value) {
            return set_fact(member(owner), field, value);
          }};
}

}  // namespace syncline::service
