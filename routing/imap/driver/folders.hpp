// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which folders of a server are folders of mail, and what each is for.
#include <string>
#include <vector>

#include "routing/imap/client.hpp"
#include "sync/driver.hpp"

namespace syncline::imap {

/// By SPECIAL-USE (RFC 6154), else by the names that mail programs use. Folders that show other folders' mail
/// (\All, \Flagged, \Important: R-29) are left out; parents come before children.
std::vector<sync::RemoteFolder> mail_folders(const std::vector<Folder>& listed);

/// Gmail's archive, which holds what no other folder shows any more; empty: there is none.
std::string archive_folder(const std::vector<Folder>& listed);

}  // namespace syncline::imap
