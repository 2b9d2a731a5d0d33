// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/send_journal.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

namespace syncline::smtp {
namespace {

namespace json = boost::json;
using model::text_of;

constexpr std::string_view step_words[] = {"ready", "open", "sent"};
constexpr std::string_view state_words[] = {"waiting", "accepted", "refused"};

template <class Enum, std::size_t count>
std::optional<Enum> word_in(const std::string_view (&words)[count], std::string_view text) {
  for (std::size_t i = 0; i < count; ++i)
    if (words[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

std::int64_t number_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool flag_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

SystemTime time_in(const json::object& object, std::string_view name) {
  return SystemTime(std::chrono::milliseconds(number_in(object, name)));
}

unexpected<Error> bad_progress() {
  return fail(ErrorDomain::mail, "bad-progress", "the saved progress of the operation cannot be read");
}

}  // namespace

Result<bool> SendJournal::load() {
  const std::string_view text = progress_.text();
  if (text.empty()) return false;
  boost::system::error_code bad;
  const json::value saved = json::parse(text, bad);
  const json::object* object = bad ? nullptr : saved.if_object();
  if (object == nullptr) return bad_progress();
  const auto known = word_in<Step>(step_words, text_of(*object, "step"));
  const json::value* list = object->if_contains("recipients");
  if (!known || list == nullptr || !list->is_array()) return bad_progress();
  step = *known;
  message_id = text_of(*object, "messageId");
  date = time_in(*object, "date");
  begun = time_in(*object, "begun");
  tries = static_cast<unsigned>(number_in(*object, "tries"));
  copy_tries = static_cast<unsigned>(number_in(*object, "copyTries"));
  for (const json::value& one : list->get_array()) {
    if (!one.is_object()) return bad_progress();
    const auto state = word_in<RecipientNote::State>(state_words, text_of(one.get_object(), "state"));
    if (!state) return bad_progress();
    recipients.push_back({.address = std::string(text_of(one.get_object(), "address")),
                          .state = *state,
                          .said = std::string(text_of(one.get_object(), "said")),
                          .heard = flag_in(one.get_object(), "heard"),
                          .unconfirmed = flag_in(one.get_object(), "unconfirmed")});
  }
  if (const json::value* names = object->if_contains("trying"); names != nullptr && names->is_array())
    for (const json::value& name : names->get_array())
      if (name.is_string()) trying.emplace_back(name.get_string());
  return true;
}

Result<void> SendJournal::save() {
  json::array list;
  for (const RecipientNote& note : recipients) {
    json::object one{{"address", note.address},
                     {"state", state_words[static_cast<std::size_t>(note.state)]},
                     {"said", note.said}};
    if (note.heard) one["heard"] = true;
    if (note.unconfirmed) one["unconfirmed"] = true;
    list.push_back(std::move(one));
  }
  json::array names;
  for (const std::string& address : trying) names.push_back(json::value(address));
  const json::object all{{"step", step_words[static_cast<std::size_t>(step)]},
                         {"messageId", message_id},
                         {"date", date.time_since_epoch().count()},
                         {"begun", begun.time_since_epoch().count()},
                         {"trying", std::move(names)},
                         {"recipients", std::move(list)},
                         {"tries", tries},
                         {"copyTries", copy_tries}};
  return progress_.save(json::serialize(all));
}

std::vector<std::string> SendJournal::waiting() const {
  std::vector<std::string> addresses;
  for (const RecipientNote& note : recipients)
    if (note.state == RecipientNote::State::waiting) addresses.push_back(note.address);
  return addresses;
}

bool SendJournal::any_accepted() const {
  return std::any_of(recipients.begin(), recipients.end(),
                     [](const RecipientNote& note) { return note.state == RecipientNote::State::accepted; });
}

RecipientNote* SendJournal::find(std::string_view address) {
  for (RecipientNote& note : recipients)
    if (note.address == address) return &note;
  return nullptr;
}

}  // namespace syncline::smtp
