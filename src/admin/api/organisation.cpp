// SPDX-License-Identifier: GPL-3.0-or-later
// The organisation: its name, what the rules ask about its environment, its policies, defaults of mailboxes.
#include <boost/json/object.hpp>

#include "admin/api/configured.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

json::object document(const service::Configuration& configuration) {
  return {{"settings", service::to_object(service::organisation_settings(), configuration.organisation)},
          {"policies", service::policies_to_object(configuration.policies)},
          {"defaults", configuration.defaults}};
}

Result<Answer> show(Call& call) {
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  json::object object = document(stored->configuration);
  Answer answer = json_answer(object);
  answer.header.emplace_back("ETag", etag_of(object));
  return answer;
}

Result<Answer> change(Call& call) {
  auto patch = call.object({"settings", "policies", "defaults"});
  if (!patch) return fail(std::move(patch.error()));
  if (auto good = refuse_secrets(*patch); !good) return fail(std::move(good.error()));
  return apply_edit(call, [&](const service::Configuration& present) -> Result<service::Configuration> {
    json::object object = document(present);
    if (auto same = call.check_match(etag_of(object)); !same) return fail(std::move(same.error()));
    merge_patch(object, *patch);
    service::Configuration wanted = present;
    const auto part = [&](std::string_view name) -> const json::object* {
      const json::value* value = object.if_contains(name);
      return value != nullptr ? value->if_object() : nullptr;
    };
    const json::object nothing;
    const json::object* const settings = part("settings");
    auto organisation =
        owner_from(service::organisation_settings(), settings != nullptr ? *settings : nothing);
    if (!organisation) return fail(std::move(organisation.error()));
    wanted.organisation = std::move(*organisation);
    wanted.policies = model::Policies{};
    const json::object* const policies = part("policies");
    if (service::Wrong wrong =
            service::policies_from_object(policies != nullptr ? *policies : nothing, wanted.policies))
      return fail(ErrorDomain::input, "bad-value", *wrong);
    const json::object* const defaults = part("defaults");
    auto mailbox = owner_from(service::default_settings(), defaults != nullptr ? *defaults : nothing);
    if (!mailbox) return fail(std::move(mailbox.error()));
    wanted.defaults = service::to_object(service::default_settings(), *mailbox);
    return wanted;
  });
}

}  // namespace

void add_organisation_routes(std::vector<Route>& routes) {
  routes.push_back(
      {.path = "/organisation", .operation = "getOrganisation", .roles = readers, .handler = show});
  routes.push_back({.method = Method::patch,
                    .path = "/organisation",
                    .operation = "changeOrganisation",
                    .query = {flag_parameter("dryRun"), language_parameter()},
                    .body = {merge_patch_body, json_body},
                    .refusals = {409},
                    .needs_match = true,
                    .handler = change});
}

}  // namespace syncline::admin::api
