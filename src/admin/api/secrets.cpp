// SPDX-License-Identifier: GPL-3.0-or-later
// Secrets of profiles and mailboxes: written and forgotten, never read.
#include <fmt/format.h>

#include "admin/api/call.hpp"
#include "base/text.hpp"
#include "service/organisation/secret_administration.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

/// Whose secret, if the token may set it.
Result<vault::Account> account_of(Call& call, std::string_view kind) {
  if (kind == "profile") return vault::Account{"profile", call.path("name")};
  vault::Account account{"mailbox", text::to_lower_ascii(call.path("address"))};
  if (call.sees_all()) return account;
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  const model::Mailbox* const mailbox = stored->configuration.mailbox_of(account.name);
  if (mailbox != nullptr && call.sees(*mailbox)) return account;
  return fail(ErrorDomain::input, "no-mailbox",
              fmt::format("There is no mailbox {}", text::escape_for_display(account.name)));
}

Handler set(std::string_view kind) {
  return [kind](Call& call) -> Result<Answer> {
    auto account = account_of(call, kind);
    if (!account) return fail(std::move(account.error()));
    auto body = call.object({"secret"});
    if (!body) return fail(std::move(body.error()));
    json::value* const given = body->if_contains("secret");
    if (given == nullptr || !given->is_string())
      return fail(ErrorDomain::input, "bad-value", "secret must be a text");
    json::string& text = given->get_string();
    const Secret secret{std::string_view(text)};
    std::fill(text.begin(), text.end(), '\0');
    call.wipe_body();
    auto sealed =
        service::seal_secret(call.organisation(), *account, call.path("kind"), secret, call.actor());
    if (!sealed) return fail(std::move(sealed.error()));
    return Answer{.status = 204};
  };
}

Handler forget(std::string_view kind) {
  return [kind](Call& call) -> Result<Answer> {
    auto account = account_of(call, kind);
    if (!account) return fail(std::move(account.error()));
    auto gone = service::forget_secret(call.organisation(), *account, call.path("kind"), call.actor());
    if (!gone) return fail(std::move(gone.error()));
    return Answer{.status = 204};
  };
}

}  // namespace

void add_secret_routes(std::vector<Route>& routes) {
  struct Place {
    std::string_view kind;
    std::string_view path;
    std::string_view set_operation;
    std::string_view forget_operation;
    Roles roles;
  };
  for (const Place& one : {Place{"profile", "/profiles/{name}/secrets/{kind}", "setProfileSecret",
                                 "forgetProfileSecret", administrators},
                           Place{"mailbox", "/mailboxes/{address}/secrets/{kind}", "setMailboxSecret",
                                 "forgetMailboxSecret", owners}}) {
    routes.push_back({.method = Method::put,
                      .path = one.path,
                      .operation = one.set_operation,
                      .roles = one.roles,
                      .body = {json_body},
                      // Each octet of a secret may take six in JSON.
                      .body_octets = 6 * service::secret_limit_octets + 1024,
                      .answers = {204},
                      .carries_credentials = true,
                      .handler = set(one.kind)});
    routes.push_back({.method = Method::remove,
                      .path = one.path,
                      .operation = one.forget_operation,
                      .roles = one.roles,
                      .answers = {204},
                      .handler = forget(one.kind)});
  }
}

}  // namespace syncline::admin::api
