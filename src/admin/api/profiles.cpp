// SPDX-License-Identifier: GPL-3.0-or-later
// E-mail server profiles.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "admin/api/configured.hpp"
#include "base/text.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

json::object settings_of(const model::Profile& profile) {
  return service::to_object(service::profile_settings(), profile);
}

json::object document(const service::StoredOrganisation& stored, const model::Profile& profile) {
  json::array secrets;
  for (const std::string_view kind : service::secret_kinds)
    if (stored.has_secret("profile", profile.name, kind)) secrets.emplace_back(kind);
  std::size_t mailboxes = 0;
  for (const model::Mailbox& mailbox : stored.configuration.mailboxes)
    mailboxes += stored.configuration.profile_of(mailbox) == &profile ? 1 : 0;
  return {{"name", profile.name},
          {"settings", settings_of(profile)},
          {"secrets", std::move(secrets)},
          {"mailboxes", mailboxes}};
}

unexpected<Error> no_profile(std::string_view name) {
  return fail(ErrorDomain::input, "no-profile",
              fmt::format("There is no profile {}", text::escape_for_display(name)));
}

Result<Answer> list(Call& call) {
  auto after = call.position();
  if (!after) return fail(std::move(after.error()));
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  std::vector<const model::Profile*> sorted;
  for (const model::Profile& profile : stored->configuration.profiles)
    if (after->empty() || profile.name > *after) sorted.push_back(&profile);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  json::array items;
  const auto most = static_cast<std::size_t>(call.limit());
  for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i)
    items.push_back(document(*stored, *sorted[i]));
  const bool more = sorted.size() > most;
  return page_answer(std::move(items),
                     more ? std::optional(call.cursor(sorted[most - 1]->name)) : std::nullopt);
}

Result<Answer> show(Call& call) {
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  const model::Profile* const profile = stored->configuration.profile_named(call.path("name"));
  if (profile == nullptr) return no_profile(call.path("name"));
  Answer answer = json_answer(document(*stored, *profile));
  answer.header.emplace_back("ETag", etag_of(settings_of(*profile)));
  return answer;
}

Result<Answer> add(Call& call) {
  auto settings = call.any_object();
  if (!settings) return fail(std::move(settings.error()));
  if (auto good = refuse_secrets(*settings); !good) return fail(std::move(good.error()));
  auto profile = owner_from(service::profile_settings(), *settings);
  if (!profile) return fail(std::move(profile.error()));
  if (profile->name.empty()) return fail(ErrorDomain::input, "bad-value", "name is missing");
  auto edit = [&](const service::Configuration& present) -> Result<service::Configuration> {
    if (present.profile_named(profile->name) != nullptr)
      return fail(ErrorDomain::input, "name-taken",
                  fmt::format("There is a profile {} already", profile->name));
    service::Configuration wanted = present;
    wanted.profiles.push_back(*profile);
    return wanted;
  };
  return apply_edit(call, edit, 201);
}

/// The position of the profile that the path names, once If-Match agreed.
Result<std::size_t> matched(Call& call, const service::Configuration& configuration) {
  const auto& profiles = configuration.profiles;
  const auto found = std::find_if(profiles.begin(), profiles.end(),
                                  [&](const model::Profile& one) { return one.name == call.path("name"); });
  if (found == profiles.end()) return no_profile(call.path("name"));
  if (auto same = call.check_match(etag_of(settings_of(*found))); !same) return fail(std::move(same.error()));
  return static_cast<std::size_t>(found - profiles.begin());
}

Result<Answer> change(Call& call) {
  auto patch = call.any_object();
  if (!patch) return fail(std::move(patch.error()));
  if (auto good = refuse_secrets(*patch); !good) return fail(std::move(good.error()));
  return apply_edit(call, [&](const service::Configuration& present) -> Result<service::Configuration> {
    auto at = matched(call, present);
    if (!at) return fail(std::move(at.error()));
    json::object settings = settings_of(present.profiles[*at]);
    merge_patch(settings, *patch);
    auto profile = owner_from(service::profile_settings(), settings);
    if (!profile) return fail(std::move(profile.error()));
    if (profile->name != call.path("name"))
      return fail(ErrorDomain::input, "bad-value", "name: the name of a profile cannot be changed");
    service::Configuration wanted = present;
    wanted.profiles[*at] = std::move(*profile);
    return wanted;
  });
}

Result<Answer> remove(Call& call) {
  return apply_edit(call, [&](const service::Configuration& present) -> Result<service::Configuration> {
    auto at = matched(call, present);
    if (!at) return fail(std::move(at.error()));
    for (const model::Mailbox& mailbox : present.mailboxes)
      if (present.profile_of(mailbox) == &present.profiles[*at])
        return fail(ErrorDomain::input, "profile-in-use",
                    fmt::format("Mailbox {} has this profile", mailbox.address));
    service::Configuration wanted = present;
    wanted.profiles.erase(wanted.profiles.begin() + static_cast<std::ptrdiff_t>(*at));
    return wanted;
  });
}

}  // namespace

void add_profile_routes(std::vector<Route>& routes) {
  const std::vector<Parameter> applied = {flag_parameter("dryRun"), language_parameter()};
  routes.push_back({.path = "/profiles",
                    .operation = "listProfiles",
                    .roles = readers,
                    .query = {page_limit(), page_cursor()},
                    .handler = list});
  routes.push_back({.method = Method::post,
                    .path = "/profiles",
                    .operation = "addProfile",
                    .query = applied,
                    .body = {json_body},
                    .answers = {200, 201},
                    .refusals = {409},
                    .handler = add});
  routes.push_back(
      {.path = "/profiles/{name}", .operation = "getProfile", .roles = readers, .handler = show});
  routes.push_back({.method = Method::patch,
                    .path = "/profiles/{name}",
                    .operation = "changeProfile",
                    .query = applied,
                    .body = {merge_patch_body, json_body},
                    .refusals = {409},
                    .needs_match = true,
                    .handler = change});
  routes.push_back({.method = Method::remove,
                    .path = "/profiles/{name}",
                    .operation = "removeProfile",
                    .query = applied,
                    .refusals = {409},
                    .needs_match = true,
                    .handler = remove});
}

}  // namespace syncline::admin::api
