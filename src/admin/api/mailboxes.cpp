// SPDX-License-Identifier: GPL-3.0-or-later
// Mailboxes: looked at, configured, approved, enabled, run.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "admin/api/configured.hpp"
#include "admin/api/problem.hpp"
#include "base/text.hpp"
#include "service/organisation/look_requests.hpp"
#include "service/organisation/test_requests.hpp"
#include "service/views/mailbox_json.hpp"
#include "service/views/mailbox_test_json.hpp"
#include "service/views/placement_json.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;
using service::MailboxAct;

json::object settings_of(const model::Mailbox& mailbox) {
  return service::to_object(service::mailbox_settings(), mailbox);
}

std::string address_of(const Call& call) {
  return text::to_lower_ascii(call.path("address"));
}

unexpected<Error> no_mailbox(std::string_view address) {
  return fail(ErrorDomain::input, "no-mailbox",
              fmt::format("There is no mailbox {}", text::escape_for_display(address)));
}

/// The one that the path names, if the token may see it.
Result<const model::Mailbox*> found(const Call& call, const service::StoredOrganisation& stored) {
  const std::string address = address_of(call);
  const model::Mailbox* const mailbox = stored.configuration.mailbox_of(address);
  if (mailbox == nullptr || !stored.mailboxes.contains(address) || !call.sees(*mailbox))
    return no_mailbox(address);
  return mailbox;
}

Result<Answer> list(Call& call) {
  auto after = call.position();
  if (!after) return fail(std::move(after.error()));
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  const auto profile = call.text("profile");
  const auto approval = call.text("approval");
  const auto enabled = call.text("enabled");
  std::vector<const model::Mailbox*> wanted;
  for (const model::Mailbox& mailbox : stored->configuration.mailboxes) {
    const service::MailboxStanding& standing = stored->mailboxes.at(mailbox.address);
    if (!after->empty() && mailbox.address <= *after) continue;
    if (!call.sees(mailbox)) continue;
    if (profile && service::profile_name(stored->configuration, mailbox) != *profile) continue;
    if (approval && model::word_of(standing.approval.status) != *approval) continue;
    if (enabled && standing.enabled != (*enabled == "true")) continue;
    wanted.push_back(&mailbox);
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const auto* a, const auto* b) { return a->address < b->address; });
  json::array items;
  const auto most = static_cast<std::size_t>(call.limit());
  for (std::size_t i = 0; i < std::min(most, wanted.size()); ++i)
    items.push_back(service::mailbox_json(*stored, *wanted[i]));
  const bool more = wanted.size() > most;
  return page_answer(std::move(items),
                     more ? std::optional(call.cursor(wanted[most - 1]->address)) : std::nullopt);
}

Result<Answer> show(Call& call) {
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  auto mailbox = found(call, *stored);
  if (!mailbox) return fail(std::move(mailbox.error()));
  const rules::Day today = call.organisation().today();
  const service::Assignments assignments(stored->configuration, *stored, today);
  const service::MailboxGate gate(*stored, today);
  const service::Examined examined = service::examine(assignments, gate, **mailbox);
  json::object details = service::mailbox_details_json(*stored, **mailbox, examined, call.language());
  const store::MailboxId id = stored->mailboxes.at((*mailbox)->address).id;
  auto looked_up = call.store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    auto test = store::find_mailbox_test(transaction, id);
    if (!test) return fail(std::move(test.error()));
    auto placement = store::find_placement(transaction, id);
    if (!placement) return fail(std::move(placement.error()));
    details["test"] = *test ? json::value(service::to_json(**test)) : json::value();
    details["placement"] = *placement ? json::value(service::to_json(**placement)) : json::value();
    return {};
  });
  if (!looked_up) return fail(std::move(looked_up.error()));
  Answer answer = json_answer(details);
  answer.header.emplace_back("ETag", etag_of(settings_of(**mailbox)));
  return answer;
}

Result<Answer> add(Call& call) {
  auto settings = call.any_object();
  if (!settings) return fail(std::move(settings.error()));
  if (auto good = refuse_secrets(*settings); !good) return fail(std::move(good.error()));
  auto mailbox = owner_from(service::mailbox_settings(), *settings);
  if (!mailbox) return fail(std::move(mailbox.error()));
  if (mailbox->address.empty()) return fail(ErrorDomain::input, "bad-value", "address is missing");
  auto edit = [&](const service::Configuration& present) -> Result<service::Configuration> {
    if (present.mailbox_of(mailbox->address) != nullptr)
      return fail(ErrorDomain::input, "address-taken",
                  fmt::format("There is a mailbox {} already", mailbox->address));
    service::Configuration wanted = present;
    wanted.mailboxes.push_back(*mailbox);
    return wanted;
  };
  return apply_edit(call, edit, 201);
}

Result<std::size_t> matched(Call& call, const service::Configuration& present) {
  const model::Mailbox* const mailbox = present.mailbox_of(address_of(call));
  if (mailbox == nullptr) return no_mailbox(call.path("address"));
  if (auto same = call.check_match(etag_of(settings_of(*mailbox))); !same)
    return fail(std::move(same.error()));
  return static_cast<std::size_t>(mailbox - present.mailboxes.data());
}

Result<Answer> change(Call& call) {
  auto patch = call.any_object();
  if (!patch) return fail(std::move(patch.error()));
  if (auto good = refuse_secrets(*patch); !good) return fail(std::move(good.error()));
  return apply_edit(call, [&](const service::Configuration& present) -> Result<service::Configuration> {
    auto at = matched(call, present);
    if (!at) return fail(std::move(at.error()));
    json::object settings = settings_of(present.mailboxes[*at]);
    merge_patch(settings, *patch);
    auto mailbox = owner_from(service::mailbox_settings(), settings);
    if (!mailbox) return fail(std::move(mailbox.error()));
    if (mailbox->address != address_of(call))
      return fail(ErrorDomain::input, "bad-value", "address: the address of a mailbox cannot be changed");
    service::Configuration wanted = present;
    wanted.mailboxes[*at] = std::move(*mailbox);
    return wanted;
  });
}

Result<Answer> remove(Call& call) {
  return apply_edit(call, [&](const service::Configuration& present) -> Result<service::Configuration> {
    auto at = matched(call, present);
    if (!at) return fail(std::move(at.error()));
    service::Configuration wanted = present;
    wanted.mailboxes.erase(wanted.mailboxes.begin() + static_cast<std::ptrdiff_t>(*at));
    return wanted;
  });
}

Result<std::string> role_from(const json::object& body) {
  const json::value* given = body.if_contains("role");
  if (given == nullptr || given->is_null()) return std::string();
  const auto* word = given->if_string();
  constexpr std::string_view roles[] = {"global_admin", "exchange_admin", "delegated_approver",
                                        "system_admin"};
  if (word == nullptr ||
      std::find(std::begin(roles), std::end(roles), std::string_view(*word)) == std::end(roles))
    return fail(ErrorDomain::input, "bad-value",
                fmt::format("role must be one of {}", fmt::join(roles, ", ")));
  return std::string(*word);
}

Handler act_with(MailboxAct act) {
  return [act](Call& call) -> Result<Answer> {
    auto body = call.object({"role"});
    if (!body) return fail(std::move(body.error()));
    auto role = role_from(*body);
    if (!role) return fail(std::move(role.error()));
    auto outcomes = service::administer(call.organisation(), act, {address_of(call)}, call.actor(), *role);
    if (!outcomes) return fail(std::move(outcomes.error()));
    const service::MailboxActOutcome& outcome = outcomes->front();
    if (!outcome.obstacle) return json_answer(service::to_json(outcome, act, call.language()));
    if (outcome.obstacle->code == "no-mailbox") return no_mailbox(outcome.address);
    Answer refused{.status = 409, .content_type = std::string(problem_type)};
    refused.body = problem_json(409, outcome.obstacle->code, outcome.obstacle->message,
                                {{"outcome", service::to_json(outcome, act, call.language())}});
    return refused;
  };
}

/// The mailboxes that the body names, or those of the profile that it names.
Result<std::vector<std::string>> chosen(Call& call, const json::object& body) {
  const json::value* const named = body.if_contains("mailboxes");
  const json::value* const profile = body.if_contains("profile");
  if ((named == nullptr) == (profile == nullptr))
    return fail(ErrorDomain::input, "bad-value", "one of mailboxes and profile is needed");
  std::vector<std::string> addresses;
  if (named != nullptr) {
    if (!named->is_array())
      return fail(ErrorDomain::input, "bad-value", "mailboxes must be an array of addresses");
    for (const json::value& one : named->get_array()) {
      if (!one.is_string())
        return fail(ErrorDomain::input, "bad-value", "mailboxes must be an array of addresses");
      addresses.push_back(text::to_lower_ascii(std::string_view(one.get_string())));
    }
    return addresses;
  }
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  const std::string name(profile->is_string() ? std::string_view(profile->get_string()) : std::string_view());
  if (stored->configuration.profile_named(name) == nullptr)
    return fail(ErrorDomain::input, "bad-value", "profile: there is no such profile");
  for (const model::Mailbox& mailbox : stored->configuration.mailboxes)
    if (service::profile_name(stored->configuration, mailbox) == name) addresses.push_back(mailbox.address);
  return addresses;
}

Handler bulk_act_with(MailboxAct act) {
  return [act](Call& call) -> Result<Answer> {
    auto body = call.object({"mailboxes", "profile", "role"});
    if (!body) return fail(std::move(body.error()));
    auto role = role_from(*body);
    if (!role) return fail(std::move(role.error()));
    auto addresses = chosen(call, *body);
    if (!addresses) return fail(std::move(addresses.error()));
    auto outcomes = service::administer(call.organisation(), act, *addresses, call.actor(), *role);
    if (!outcomes) return fail(std::move(outcomes.error()));
    json::array items;
    for (const service::MailboxActOutcome& outcome : *outcomes)
      items.push_back(service::to_json(outcome, act, call.language()));
    return page_answer(std::move(items), std::nullopt);
  };
}

json::object obstacle_json(const service::Obstacle& obstacle) {
  return {{"mailbox", obstacle.address}, {"code", obstacle.code}, {"message", obstacle.message}};
}

Result<std::vector<service::Obstacle>> request_tests(Call& call, const std::vector<std::string>& addresses,
                                                     bool enable) {
  return service::request_tests(call.organisation(), {.addresses = addresses, .enable = enable},
                                call.actor());
}

/// A member of the body that only administrators may set; `what` they alone do with it.
Result<bool> wants(const Call& call, const json::object& body, std::string_view member,
                   std::string_view what) {
  const json::value* const given = body.if_contains(member);
  if (given == nullptr) return false;
  if (!given->is_bool())
    return fail(ErrorDomain::input, "bad-value", fmt::format("{} must be true or false", member));
  if (given->get_bool() && !call.is(store::ApiRole::system_administrator))
    return fail(ErrorDomain::input, "forbidden", fmt::format("Only a system administrator's token {}", what));
  return given->get_bool();
}

Result<bool> wants_enabling(const Call& call, const json::object& body) {
  return wants(call, body, "enable", "enables mailboxes");
}

Result<bool> wants_following(const Call& call, const json::object& body) {
  return wants(call, body, "followMoves", "gives mailboxes that moved another profile");
}

/// What one mailbox was asked for follows, unless something stands in the way.
Answer wanted_answer(const std::string& address, const std::vector<service::Obstacle>& obstacles) {
  if (obstacles.empty()) return json_answer(json::object{{"mailbox", address}, {"wanted", true}}, 202);
  const service::Obstacle& obstacle = obstacles.front();
  Answer refused{.status = 409, .content_type = std::string(problem_type)};
  refused.body = problem_json(409, obstacle.code, obstacle.message);
  return refused;
}

Answer bulk_wanted_answer(const std::vector<std::string>& addresses,
                          const std::vector<service::Obstacle>& obstacles) {
  json::array refused;
  for (const service::Obstacle& obstacle : obstacles) refused.push_back(obstacle_json(obstacle));
  return json_answer(
      json::object{{"wanted", addresses.size() - obstacles.size()}, {"refused", std::move(refused)}}, 202);
}

/// Tests run in the background; getMailbox tells how they go.
Result<Answer> test(Call& call) {
  auto body = call.object({"enable"});
  if (!body) return fail(std::move(body.error()));
  auto enable = wants_enabling(call, *body);
  if (!enable) return fail(std::move(enable.error()));
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  auto mailbox = found(call, *stored);
  if (!mailbox) return fail(std::move(mailbox.error()));
  auto obstacles = request_tests(call, {(*mailbox)->address}, *enable);
  if (!obstacles) return fail(std::move(obstacles.error()));
  return wanted_answer((*mailbox)->address, *obstacles);
}

Result<Answer> bulk_test(Call& call) {
  auto body = call.object({"mailboxes", "profile", "enable"});
  if (!body) return fail(std::move(body.error()));
  auto enable = wants_enabling(call, *body);
  if (!enable) return fail(std::move(enable.error()));
  auto addresses = chosen(call, *body);
  if (!addresses) return fail(std::move(addresses.error()));
  auto obstacles = request_tests(call, *addresses, *enable);
  if (!obstacles) return fail(std::move(obstacles.error()));
  return bulk_wanted_answer(*addresses, *obstacles);
}

/// The daemon takes it up behind the answer.
Answer look_follows(Answer answer) {
  answer.afterwards = [](Control& control, Answer&) { control.look_for_requested(); };
  return answer;
}

/// Where it lives is asked in the background; getMailbox tells what came of it.
Result<Answer> discover(Call& call) {
  auto body = call.object({"followMoves"});
  if (!body) return fail(std::move(body.error()));
  auto follow = wants_following(call, *body);
  if (!follow) return fail(std::move(follow.error()));
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  auto mailbox = found(call, *stored);
  if (!mailbox) return fail(std::move(mailbox.error()));
  auto obstacles = service::request_looks(
      call.organisation(), {.addresses = {(*mailbox)->address}, .follow_moves = *follow}, call.actor());
  if (!obstacles) return fail(std::move(obstacles.error()));
  return look_follows(wanted_answer((*mailbox)->address, *obstacles));
}

Result<Answer> bulk_discover(Call& call) {
  auto body = call.object({"mailboxes", "profile", "followMoves"});
  if (!body) return fail(std::move(body.error()));
  auto follow = wants_following(call, *body);
  if (!follow) return fail(std::move(follow.error()));
  auto addresses = chosen(call, *body);
  if (!addresses) return fail(std::move(addresses.error()));
  auto obstacles = service::request_looks(call.organisation(),
                                          {.addresses = *addresses, .follow_moves = *follow}, call.actor());
  if (!obstacles) return fail(std::move(obstacles.error()));
  return look_follows(bulk_wanted_answer(*addresses, *obstacles));
}

Result<Answer> apply_defaults_to(Call& call, const std::vector<std::string>& addresses) {
  const bool dry_run = call.flag("dryRun");
  auto outcome = service::apply_defaults(call.organisation(), addresses, dry_run, call.actor());
  if (!outcome) return fail(std::move(outcome.error()));
  return outcome_answer(call, *outcome, dry_run, 200);
}

Result<Answer> apply_defaults(Call& call) {
  return apply_defaults_to(call, {address_of(call)});
}

Result<Answer> bulk_apply_defaults(Call& call) {
  auto body = call.object({"mailboxes", "profile"});
  if (!body) return fail(std::move(body.error()));
  auto addresses = chosen(call, *body);
  if (!addresses) return fail(std::move(addresses.error()));
  return apply_defaults_to(call, *addresses);
}

/// One change of several mailboxes, as a merge patch of their settings.
Result<Answer> bulk_change(Call& call) {
  auto body = call.object({"mailboxes", "profile", "settings"});
  if (!body) return fail(std::move(body.error()));
  const json::value* const settings = body->if_contains("settings");
  if (settings == nullptr || !settings->is_object() || settings->get_object().empty())
    return fail(ErrorDomain::input, "bad-value", "settings must say what changes");
  const json::object& patch = settings->get_object();
  if (auto good = refuse_secrets(patch); !good) return fail(std::move(good.error()));
  if (patch.contains("address")) return fail(ErrorDomain::input, "bad-value", "address cannot be changed");
  auto addresses = chosen(call, *body);
  if (!addresses) return fail(std::move(addresses.error()));
  return apply_edit(call, [&](const service::Configuration& present) -> Result<service::Configuration> {
    service::Configuration wanted = present;
    for (const std::string& address : *addresses) {
      const model::Mailbox* const known = present.mailbox_of(address);
      if (known == nullptr) return no_mailbox(address);
      json::object changed = settings_of(*known);
      merge_patch(changed, patch);
      auto mailbox = owner_from(service::mailbox_settings(), changed);
      if (!mailbox) return fail(std::move(mailbox.error()));
      wanted.mailboxes[static_cast<std::size_t>(known - present.mailboxes.data())] = std::move(*mailbox);
    }
    return wanted;
  });
}

/// The address of the mailbox that the path names, which must be enabled.
Result<std::string> enabled_address(Call& call) {
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  auto mailbox = found(call, *stored);
  if (!mailbox) return fail(std::move(mailbox.error()));
  const std::string address = (*mailbox)->address;
  if (!stored->mailboxes.at(address).enabled)
    return fail(ErrorDomain::input, "not-enabled", fmt::format("Mailbox {} is not enabled", address));
  return address;
}

/// A run of the mailbox follows the answer.
Answer run_follows(const std::string& address) {
  Answer answer = json_answer(json::object{{"mailbox", address}, {"wanted", true}}, 202);
  answer.afterwards = [address](Control& control, Answer&) { static_cast<void>(control.sync_now(address)); };
  return answer;
}

Result<Answer> sync_now(Call& call) {
  auto address = enabled_address(call);
  if (!address) return fail(std::move(address.error()));
  return run_follows(*address);
}

/// From the organisation that has claimed it, in its next run.
Result<Answer> take_over(Call& call) {
  auto address = enabled_address(call);
  if (!address) return fail(std::move(address.error()));
  auto noted = service::note_take_over(call.organisation(), {*address}, call.actor());
  if (!noted) return fail(std::move(noted.error()));
  return run_follows(*address);
}

}  // namespace

void add_mailbox_routes(std::vector<Route>& routes) {
  const std::vector<Parameter> applied = {flag_parameter("dryRun"), language_parameter()};
  constexpr Roles lookers = readers | only(store::ApiRole::mailbox_owner);
  routes.push_back(
      {.path = "/mailboxes",
       .operation = "listMailboxes",
       .roles = lookers,
       .query = {page_limit(), page_cursor(), text_parameter("profile"),
                 word_parameter("approval", {"pending", "approved", "rejected"}), flag_parameter("enabled")},
       .handler = list});
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes",
                    .operation = "addMailbox",
                    .query = applied,
                    .body = {json_body},
                    .answers = {200, 201},
                    .refusals = {409},
                    .handler = add});
  routes.push_back({.path = "/mailboxes/{address}",
                    .operation = "getMailbox",
                    .roles = lookers,
                    .query = {language_parameter()},
                    .handler = show});
  routes.push_back({.method = Method::patch,
                    .path = "/mailboxes/{address}",
                    .operation = "changeMailbox",
                    .query = applied,
                    .body = {merge_patch_body, json_body},
                    .refusals = {409},
                    .needs_match = true,
                    .handler = change});
  routes.push_back({.method = Method::remove,
                    .path = "/mailboxes/{address}",
                    .operation = "removeMailbox",
                    .query = applied,
                    .refusals = {409},
                    .needs_match = true,
                    .handler = remove});
  struct Act {
    MailboxAct act;
    std::string_view path;
    std::string_view operation;
    std::string_view bulk_path;
    std::string_view bulk_operation;
    Roles roles;
  };
  for (const Act& one : {Act{MailboxAct::approve, "/mailboxes/{address}/approve", "approveMailbox",
                             "/bulk/approve", "approveMailboxes", approvers},
                         Act{MailboxAct::reject, "/mailboxes/{address}/reject", "rejectMailbox",
                             "/bulk/reject", "rejectMailboxes", approvers},
                         Act{MailboxAct::enable, "/mailboxes/{address}/enable", "enableMailbox",
                             "/bulk/enable", "enableMailboxes", administrators},
                         Act{MailboxAct::disable, "/mailboxes/{address}/disable", "disableMailbox",
                             "/bulk/disable", "disableMailboxes", administrators}}) {
    routes.push_back({.method = Method::post,
                      .path = one.path,
                      .operation = one.operation,
                      .roles = one.roles,
                      .query = {language_parameter()},
                      .body = {json_body},
                      .body_may_be_empty = true,
                      .refusals = {409},
                      .handler = act_with(one.act)});
    routes.push_back({.method = Method::post,
                      .path = one.bulk_path,
                      .operation = one.bulk_operation,
                      .roles = one.roles,
                      .query = {language_parameter()},
                      .body = {json_body},
                      .body_octets = 1024 * 1024,
                      .handler = bulk_act_with(one.act)});
  }
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes/{address}/test",
                    .operation = "testMailbox",
                    .roles = owners,
                    .body = {json_body},
                    .body_may_be_empty = true,
                    .answers = {202},
                    .refusals = {409},
                    .handler = test});
  routes.push_back({.method = Method::post,
                    .path = "/bulk/test",
                    .operation = "testMailboxes",
                    .body = {json_body},
                    .body_octets = 1024 * 1024,
                    .answers = {202},
                    .handler = bulk_test});
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes/{address}/discover",
                    .operation = "discoverMailbox",
                    .roles = owners,
                    .body = {json_body},
                    .body_may_be_empty = true,
                    .answers = {202},
                    .refusals = {409},
                    .handler = discover});
  routes.push_back({.method = Method::post,
                    .path = "/bulk/discover",
                    .operation = "discoverMailboxes",
                    .body = {json_body},
                    .body_octets = 1024 * 1024,
                    .answers = {202},
                    .handler = bulk_discover});
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes/{address}/apply-defaults",
                    .operation = "applyDefaults",
                    .query = applied,
                    .refusals = {409},
                    .handler = apply_defaults});
  routes.push_back({.method = Method::post,
                    .path = "/bulk/apply-defaults",
                    .operation = "applyDefaultsToMailboxes",
                    .query = applied,
                    .body = {json_body},
                    .body_octets = 1024 * 1024,
                    .refusals = {404, 409},
                    .handler = bulk_apply_defaults});
  routes.push_back({.method = Method::post,
                    .path = "/bulk/change",
                    .operation = "changeMailboxes",
                    .query = applied,
                    .body = {json_body},
                    .body_octets = 1024 * 1024,
                    .refusals = {404, 409},
                    .handler = bulk_change});
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes/{address}/take-over",
                    .operation = "takeOverMailbox",
                    .answers = {202},
                    .refusals = {409},
                    .handler = take_over});
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes/{address}/sync",
                    .operation = "syncMailbox",
                    .roles = owners,
                    .answers = {202},
                    .refusals = {409},
                    .handler = sync_now});
}

}  // namespace syncline::admin::api
