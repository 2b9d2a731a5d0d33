// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/profile_file.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "routing/rules/intake/toml_value.hpp"

namespace syncline::rules {
namespace {

unexpected<InputProblem> wrong(const toml::node& node, std::string_view column, std::string reason) {
  return unexpected<InputProblem>{{line_of(node), 0, std::string{column}, std::move(reason), true}};
}

// `name` and `prof_name` are the same key in a profile's table.
std::string_view prefix_for(std::string_view key) noexcept {
  return key.starts_with("prof_") ? std::string_view{} : std::string_view{"prof_"};
}

std::optional<InputProblem> take_group(const toml::table& table, std::string_view prefix, FieldValues& into) {
  InputRow row;
  RowBuilder builder{row};
  for (const auto& [key, value] : table) {
    if (auto reason = take_toml(builder, prefix, key.str(), value)) {
      return InputProblem{line_of(value), 0, builder.current(), std::move(*reason), true};
    }
  }
  for (const Field field : all_fields()) {
    if (!row.given.is_empty(field)) into.copy(field, row.given);
  }
  return std::nullopt;
}

std::optional<InputProblem> take_recipient_types(const toml::node& value, std::vector<std::string>& into) {
  const toml::array* list = value.as_array();
  if (list == nullptr) {
    return InputProblem{line_of(value), 0, "recipient_types", "a list of texts is expected", true};
  }
  for (const toml::node& entry : *list) {
    const auto* text = entry.as_string();
    if (text == nullptr)
      return InputProblem{line_of(entry), 0, "recipient_types", "a text is expected", true};
    into.push_back(text->get());
  }
  return std::nullopt;
}

expected<ProfileFile::Profile, InputProblem> take_profile(const toml::table& table,
                                                          const FieldValues& common) {
  ProfileFile::Profile profile;
  profile.values = common;
  InputRow row;
  RowBuilder builder{row};
  for (const auto& [key, value] : table) {
    if (key.str() == "recipient_types") {
      if (auto problem = take_recipient_types(value, profile.recipient_types)) {
        return unexpected<InputProblem>{std::move(*problem)};
      }
    } else if (auto reason = take_toml(builder, prefix_for(key.str()), key.str(), value)) {
      return wrong(value, builder.current(), std::move(*reason));
    }
  }
  for (const Field field : all_fields()) {
    if (!row.given.is_empty(field)) profile.values.copy(field, row.given);
  }
  profile.name = std::string{profile.values.text(Field::prof_name)};
  if (profile.name.empty()) return wrong(table, "name", "a profile needs a name");
  if (profile.values.is_empty(Field::prof_type)) return wrong(table, "type", "a profile needs a type");
  return profile;
}

}  // namespace

const ProfileFile::Profile* ProfileFile::named(std::string_view name) const noexcept {
  const auto found =
      std::find_if(profiles.begin(), profiles.end(), [&](const Profile& p) { return p.name == name; });
  return found == profiles.end() ? nullptr : &*found;
}

const ProfileFile::Profile* ProfileFile::for_recipient_type(std::string_view type) const noexcept {
  for (const Profile& profile : profiles) {
    for (const std::string& taken : profile.recipient_types) {
      if (text::equals_ignore_case(taken, type)) return &profile;
    }
  }
  return nullptr;
}

expected<ProfileFile, InputProblem> read_profile_file(std::istream& input) {
  auto document = parse_toml(input);
  if (!document) return unexpected<InputProblem>{std::move(document).error()};
  ProfileFile file;
  const toml::array* profiles = nullptr;
  for (const auto& [key, value] : *document) {
    if (key.str() == "profile") {
      profiles = value.as_array();
      if (profiles == nullptr) return wrong(value, "profile", "[[profile]] is expected: one table a profile");
      continue;
    }
    const auto prefix = prefix_of_group(key.str());
    if (!prefix || *prefix == "prof_" || *prefix == "mbx_") {
      return wrong(
          value, "",
          fmt::format("unknown key {}; [[profile]], [env] and [request] are known", quoted(key.str())));
    }
    const toml::table* group = value.as_table();
    if (group == nullptr) return wrong(value, std::string{key.str()}, "a table is expected");
    if (auto problem = take_group(*group, *prefix, file.common))
      return unexpected<InputProblem>{std::move(*problem)};
  }
  if (profiles == nullptr) return unexpected<InputProblem>{{0, 0, "", "no [[profile]] in the file", true}};
  for (const toml::node& entry : *profiles) {
    const toml::table* table = entry.as_table();
    if (table == nullptr) return wrong(entry, "profile", "a table is expected");
    auto profile = take_profile(*table, file.common);
    if (!profile) return unexpected<InputProblem>{std::move(profile).error()};
    if (file.named(profile->name) != nullptr) {
      return wrong(entry, "name", fmt::format("two profiles are named {}", quoted(profile->name)));
    }
    file.profiles.push_back(std::move(*profile));
  }
  return file;
}

}  // namespace syncline::rules
