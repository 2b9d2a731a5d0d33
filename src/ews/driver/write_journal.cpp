// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/write_journal.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace syncline::ews {
namespace {

namespace json = boost::json;

unexpected<Error> bad_progress() {
  return fail(ErrorDomain::local, "bad-progress", "the saved progress of the operation cannot be read");
}

}  // namespace

Result<void> WriteJournal::load() {
  const std::string_view text = progress_.text();
  if (text.empty()) return {};
  boost::system::error_code error;
  json::value saved = json::parse(text, error);
  const json::object* object = error ? nullptr : saved.if_object();
  if (object == nullptr) return bad_progress();
  const json::value* step = object->if_contains("step");
  const json::value* open = object->if_contains("open");
  const json::value* facts = object->if_contains("data");
  if (step == nullptr || !step->is_string() || open == nullptr || !open->is_bool() || facts == nullptr ||
      !facts->is_object())
    return bad_progress();
  step_ = step->get_string();
  open_ = open->get_bool();
  facts_ = facts->get_object();
  return {};
}

Result<void> WriteJournal::begin(std::string_view step) {
  step_ = step;
  open_ = true;
  return save();
}

Result<void> WriteJournal::take_back() {
  open_ = false;
  return save();
}

std::string WriteJournal::fact(std::string_view name) const {
  const json::value* value = facts_.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void WriteJournal::set_fact(std::string_view name, std::string_view value) {
  facts_[name] = value;
}

Result<void> WriteJournal::save() {
  json::object all;
  all["step"] = step_;
  all["open"] = open_;
  all["data"] = facts_;
  return progress_.save(json::serialize(all));
}

}  // namespace syncline::ews
