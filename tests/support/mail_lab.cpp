// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/mail_lab.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/text.hpp"
#include "tests/support/lab_script.hpp"

namespace syncline::testing {
namespace {

namespace fs = std::filesystem;

/// What the servers have to write to belongs to the user they read mail as.
void give_to_mail(const fs::path& path) {
  if (::getuid() == 0) static_cast<void>(run_lab_command("chown -R mail:mail " + path.string()));
}

}  // namespace

Result<std::unique_ptr<MailLab>> MailLab::start(Options options) {
  if (options.smtp && ::getuid() != 0)
    return fail(ErrorDomain::local, "missing", "Postfix only starts as root");
  // A port that was free may be taken when the server comes to it.
  LabOutcome outcome;
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::string pattern = "/tmp/syncline-mail.XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
      return fail(ErrorDomain::local, "lab-failed", "no folder can be made in /tmp");
    std::unique_ptr<MailLab> lab(new MailLab);
    lab->folder_ = pattern;
    const std::string settings = std::string("LAB_SMTP_SERVER=") + (options.smtp ? "yes" : "no") +
                                 " LAB_REMOVE=yes LAB_PARENT=" + std::to_string(::getpid()) + " ";
    outcome = run_lab_command(settings + lab_script("start.sh") + " " + pattern);
    if (outcome.status == 3) return fail(ErrorDomain::local, "missing", outcome.output);
    if (outcome.status != 0) continue;
    auto said = read_lab_settings(lab->folder_ / "env");
    const auto port = [&](const char* name) {
      return static_cast<std::uint16_t>(text::parse_int(said[name]).value_or(0));
    };
    lab->ports_ = {.imap = port("LAB_IMAP"),
                   .imaps = port("LAB_IMAPS"),
                   .pop3 = port("LAB_POP3"),
                   .pop3s = port("LAB_POP3S"),
                   .smtp = port("LAB_SMTP"),
                   .submission = port("LAB_SUBMIT"),
                   .smtps = port("LAB_SMTPS")};
    return lab;
  }
  return lab_failed("start.sh", outcome);
}

MailLab::~MailLab() {
  if (folder_.empty()) return;
  const LabOutcome outcome = run_lab_command(lab_script("stop.sh") + " " + folder_.string());
  std::error_code ignored;
  if (outcome.status == 0)
    fs::remove_all(folder_, ignored);
  else
    std::fprintf(stderr, "the mail servers in %s did not stop: %s\n", folder_.c_str(),
                 outcome.output.c_str());
}

std::vector<net::ResolveOverride> MailLab::names() {
  std::vector<net::ResolveOverride> names;
  for (const char* name :
       {"localhost", "mail.lab.test", "wrongname.lab.test", "untrusted.lab.test", "expired.lab.test"})
    names.push_back({name, 0, "127.0.0.1"});
  return names;
}

Result<std::string> MailLab::token(std::string_view user, std::chrono::seconds lifetime) const {
  const LabOutcome outcome = run_lab_command(lab_script("token.py") + " " + folder_.string() + " " +
                                             address(user) + " --ttl=" + std::to_string(lifetime.count()));
  if (outcome.status != 0) return lab_failed("token.py", outcome);
  return std::string(text::trim(outcome.output));
}

Result<void> MailLab::deliver(std::string_view user, std::string_view message) {
  const fs::path maildir = folder_ / "home" / user / "Maildir";
  const bool fresh = !fs::exists(maildir);
  std::error_code bad;
  for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(maildir / part, bad);
  // A Maildir holds LF lines; Dovecot sends CRLF.
  std::string lines;
  lines.reserve(message.size());
  for (const char c : message)
    if (c != '\r') lines += c;
  const std::string name = std::to_string(1'800'000'000 + delivered_) + ".M" + std::to_string(delivered_) +
                           "P" + std::to_string(::getpid()) + ".lab";
  ++delivered_;
  {
    std::ofstream out(maildir / "tmp" / name, std::ios::binary);
    out << lines;
    if (!out.flush()) return fail(ErrorDomain::local, "lab-failed", "cannot write to " + maildir.string());
  }
  give_to_mail(fresh ? maildir : maildir / "tmp" / name);
  fs::rename(maildir / "tmp" / name, maildir / "new" / name, bad);
  if (bad) return fail(ErrorDomain::local, "lab-failed", bad.message());
  return {};
}

Result<void> MailLab::generate(std::string_view user, unsigned count, unsigned seed, unsigned most_kb) {
  const fs::path maildir = folder_ / "home" / user / "Maildir";
  const LabOutcome outcome = run_lab_command(
      lab_script("gen_messages.py") + " --maildir " + maildir.string() + " --count " + std::to_string(count) +
      " --seed " + std::to_string(seed) + " --max-kb " + std::to_string(most_kb));
  if (outcome.status != 0) return lab_failed("gen_messages.py", outcome);
  give_to_mail(maildir);
  return {};
}

std::vector<fs::path> MailLab::files_of(std::string_view user) const {
  std::vector<fs::path> files;
  std::error_code bad;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "home" / user / "Maildir", bad))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}

Result<void> MailLab::kick(std::string_view user) {
  const LabOutcome outcome =
      run_lab_command("doveadm -c " + (folder_ / "conf/dovecot.conf").string() + " kick " + address(user));
  // 68: nobody was connected.
  if (outcome.status != 0 && outcome.status != 68) return lab_failed("doveadm kick", outcome);
  return {};
}

}  // namespace syncline::testing
