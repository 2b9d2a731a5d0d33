// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The bearer tokens of a mailbox: of its user's own sign-in, or of the profile's service account that acts
// for the user.
#include <memory>
#include <string>

#include "auth/oauth.hpp"
#include "service/organisation/oauth_endpoints.hpp"

namespace syncline::service {

class Organisation;

/// Key of what a mailbox's sign-in left: auth::StoredGrant.
std::string sign_in_key(const std::string& address);

/// Client secret or certificate of the profile; a public client has neither. Errors of the vault.
Result<auth::ClientProof> client_proof(Organisation& organisation, const model::Profile& profile);

/// nullopt: the profile has no service account. Errors of the vault; auth "bad-key".
Result<std::optional<auth::ServiceAccount>> service_account_of(Organisation& organisation,
                                                               const model::Profile& profile);

/// `organisation` must outlive the source. Errors: those above and of oauth_endpoints(). To be shared by all
/// connections of the mailbox, so that a renewal is asked for once.
Result<std::shared_ptr<auth::TokenSource>> mailbox_token(Organisation& organisation,
                                                         auth::TokenEnvironment environment,
                                                         const model::Profile& profile,
                                                         const std::string& address);

}  // namespace syncline::service
