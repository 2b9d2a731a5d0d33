// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A rule of the catalogue as a JSON line.
#include <string>

#include "routing/rules/catalogue.hpp"
#include "routing/rules/messages.hpp"

namespace syncline::service {

/// {"id","group","groupTitle","severity","condition","where","fields","message","remedy","changes","source"}
/// and a line feed.
void append_rule_json(std::string& out, const rules::Rule& rule, rules::Language language);

/// What a change of a rule's fix sets, for people.
std::string printed(const rules::Target& target);

}  // namespace syncline::service
