// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One setting of a value (a profile, a mailbox, a policy): its key, how it is read and written, what the
// sample says about it. Files, the store, the difference of two states and the sample are all made from the
// same tables.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::service {

/// What is wrong with a value, for people; nothing: it is right.
using Wrong = std::optional<std::string>;

template <class Owner>
struct Setting {
  std::string_view key;
  std::string_view help;     ///< a line of the sample
  std::string_view example;  ///< a value as TOML writes it
  bool is_time = false;      ///< TOML writes it without quotes
  /// null: not stated, or as it is without anybody's doing.
  std::function<boost::json::value(const Owner&)> get;
  std::function<Wrong(Owner&, const boost::json::value&)> set;
};

template <class Owner>
using Settings = std::vector<Setting<Owner>>;

template <class Owner>
const Setting<Owner>* find_setting(const Settings<Owner>& settings, std::string_view key) {
  for (const auto& setting : settings) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

/// What is stated, in the order of the table.
template <class Owner>
boost::json::object to_object(const Settings<Owner>& settings, const Owner& owner) {
  boost::json::object object;
  for (const auto& setting : settings) {
    boost::json::value value = setting.get(owner);
    if (!value.is_null()) object.emplace(setting.key, std::move(value));
  }
  return object;
}

/// "key: what is wrong with it". A key that no setting has is wrong.
template <class Owner>
Wrong from_object(const Settings<Owner>& settings, const boost::json::object& object, Owner& owner) {
  for (const auto& [key, value] : object) {
    const Setting<Owner>* setting = find_setting(settings, std::string_view(key));
    if (setting == nullptr) return std::string(key) + ": no such setting";
    if (Wrong wrong = setting->set(owner, value)) return std::string(key) + ": " + *wrong;
  }
  return std::nullopt;
}

}  // namespace syncline::service
