import { randomOf } from './random.ts';

/**
 * One of Microsoft's recommendations. Ids, short titles, maxima, services and the spelling of costs and threats
 * follow the real ones; everything longer is made up in `texts.ts`.
 */
export interface CatalogueEntry {
  id: string;
  title: string;
  /** Points, 1 to 10. */
  maximum: number;
  service: string;
  category: 'Identity' | 'Apps' | 'Data' | 'Device';
  tier: 'Core' | 'Defense In Depth' | 'Advanced';
  rank: number;
  cost: string | null;
  impact: string | null;
  threats: string[];
  /** The group whose share is its score; null if it is only on or off. */
  of: 'users' | 'mailboxes' | 'admins' | 'devices' | null;
  /** True if it is on or off, and counts without a total. */
  counts: boolean;
  /** `{tenant}` stands for the tenant's id. */
  url: string;
}

interface Family {
  service: string;
  category: CatalogueEntry['category'];
  url: string;
  tier?: CatalogueEntry['tier'];
  rank?: number;
  cost?: (string | null)[];
  impact?: (string | null)[];
  threats?: string[][];
  /** A line each: id|title|maximum, and |users, |mailboxes, |admins or |devices where it is a share, |number where it counts. */
  lines: string;
}

const UNKNOWN = ['Unknown', 'Unknown', 'Unknown', null];
const ACCOUNT = ['Account breach', 'Data Exfiltration'];

const FAMILIES: Family[] = [
  {
    service: 'AzureAD',
    category: 'Identity',
    url: 'https://go.microsoft.com/fwlink/?linkid=2095010',
    cost: ['Low', 'Moderate'],
    impact: ['Low', 'Moderate', 'moderate'],
    threats: [
      ['Password Cracking', 'Account Breach', 'Elevation of Privilege'],
      ['Password Cracking', 'Account Breach'],
    ],
    lines: `
AdminMFAV2|Ensure multifactor authentication is enabled for all users in administrative roles|10|admins
MFARegistrationV2|Ensure multifactor authentication is enabled for all users|9|users
BlockLegacyAuthentication|Enable Conditional Access policies to block legacy authentication|8|users
SigninRiskPolicy|Enable Microsoft Entra ID Identity Protection sign-in risk policies|7|users
UserRiskPolicy|Enable Microsoft Entra ID Identity Protection user risk policies|7|users
PWAgePolicyNew|Ensure the 'Password expiration policy' is set to 'Set passwords to never expire (recommended)'|8
SelfServicePasswordReset|Ensure 'Self service password reset enabled' is set to 'All'|1|users
OneAdmin|Ensure that between two and four global admins are designated|1|number
RoleOverlap|Use least privileged administrative roles|1|number
IntegratedApps|Ensure user consent to apps accessing company data on their behalf is not allowed|4`,
  },
  {
    service: 'AzureAD',
    category: 'Apps',
    url: 'https://entra.microsoft.com/#view/Microsoft_AAD_IAM/SecurityMenuBlade',
    threats: [ACCOUNT, ['Data Exfiltration', 'Password Cracking', 'Account breach']],
    lines: `
aad_admin_accounts_separate_unassigned_cloud_only|Ensure Administrative accounts are separate and cloud-only|3
aad_admin_consent_workflow|Ensure the admin consent workflow is enabled|5
aad_custom_banned_passwords|Ensure custom banned passwords lists are used|5
aad_limited_administrative_roles|Ensure 'Microsoft Azure Management' is limited to administrative roles|3
aad_linkedin_connection_disables|Ensure 'LinkedIn account connections' is disabled|3
aad_managed_approved_public_groups_only|Ensure that only organizationally managed/approved public groups exist|3
aad_password_protection|Ensure password protection is enabled for on-prem Active Directory|6
aad_phishing_MFA_strength|Ensure 'Phishing-resistant MFA strength' is required for Administrators|7
aad_sign_in_freq_session_timeout|Ensure Sign-in frequency is enabled and browser sessions are not persistent for Administrative users|5
aad_third_party_apps|Ensure third party integrated applications are not allowed|5`,
  },
  {
    service: 'Azure ATP',
    category: 'Identity',
    url: 'https://security.microsoft.com/securescore?viewid=actions&tid={tenant}',
    rank: 67,
    cost: ['low', 'low', 'medium', 'high'],
    impact: ['low', 'low', 'medium', 'high'],
    threats: [[], [], ['Account Breach', 'Elevation of Privilege', 'Malicious Insider']],
    lines: `
AATP_ADCSCertificateTemplateEnrolementSuppliesSubject|Prevent users to request a certificate valid for arbitrary users based on the certificate template (ESC1)|5
AATP_ADCSInsecureCertificateEnrollmentIisEndpoints|Edit insecure certificate enrollment IIS endpoints (ESC8)|5
AATP_ADCSMisconfiguredCertificateAuthorityAcl|Edit misconfigured Certificate Authority ACL (ESC7)|5
AATP_ADCSMisconfiguredCertificateTemplateAcl|Edit misconfigured certificate templates ACL (ESC4)|5
AATP_ADCSMisconfiguredCertificateTemplateOwner|Edit misconfigured certificate templates owner (ESC4)|5
AATP_ADCSMisconfiguredRpcEnrollmentSigning|Enforce encryption for RPC certificate enrollment interface (ESC8)|5
AATP_ADCSSanSpecifiedByUserEnabled|Edit vulnerable Certificate Authority setting (ESC6)|5
AATP_AdminSDHolder|Remove access rights on suspicious accounts with the Admin SDHolder permission|5
AATP_ClearText|Stop clear text credentials exposure|5
AATP_DomainControllerLocalUsers|Remove local admins on identity assets|5
AATP_DormantAccounts|Remove dormant accounts from sensitive groups|5
AATP_EntitiesWithOldPassword|Manage accounts with passwords more than 180 days old|5
AATP_HoneyToken|Set a honeytoken account|1
AATP_KerberosDelegations|Modify unsecure Kerberos delegations to prevent impersonation|5
AATP_NonAdminDCSyncAccounts|Remove non-admin accounts with DCSync permissions|5
AATP_PathRisk|Reduce lateral movement path risk to sensitive entities|5
AATP_PrintSpooler|Disable Print spooler service on domain controllers|5
AATP_PwdLAPS|Protect and manage local admin passwords with Microsoft LAPS|5|devices
AATP_Sensor|Install Defender for Identity Sensor on all Domain Controllers|4
AATP_SIDHistory|Remove unsecure SID history attributes from entities|5
AATP_UnsecureAccount|Resolve unsecure account attributes|5
AATP_UnsecureDomain|Resolve unsecure domain configurations|5
AATP_Vpn|Configure VPN integration|1
AATP_WeakCipher|Stop weak cipher usage|5`,
  },
  {
    service: 'EXO',
    category: 'Apps',
    url: 'https://admin.exchange.microsoft.com/#/sharing',
    threats: [ACCOUNT, ['Data Exfiltration', 'Data Deletion', 'Data Spillage'], []],
    impact: [...UNKNOWN, 'None', 'High'],
    lines: `
CustomerLockBoxEnabled|Ensure the customer lockbox feature is enabled|1
exo_individualsharing|Ensure 'External sharing' of calendars is not available|5
exo_mailboxaudit|Ensure mailbox auditing for all users is Enabled|3|mailboxes
exo_mailtipsenabled|Ensure MailTips are enabled for end users|3
exo_oauth2clientprofileenabled|Ensure modern authentication for Exchange Online is enabled|3
exo_outlookaddins|Ensure users installing Outlook add-ins is not allowed|3
exo_SPF_records_for_all_domains|Ensure that SPF records are published for all Exchange Domains|5
exo_storageproviderrestricted|Ensure additional storage providers are restricted in Outlook on the web|5
exo_transportrulesallowlistdomains|Ensure Spam confidence level (SCL) is configured in mail transport rules with specific domains|3`,
  },
  {
    service: 'MDO',
    category: 'Apps',
    url: 'https://security.microsoft.com/antispam?tid={tenant}',
    rank: 128,
    cost: ['Medium'],
    impact: ['Unknown', 'High'],
    threats: [[], [], ['Account breach', 'Data Exfiltration']],
    lines: `
mdo_allowedsenderscombined|Ensure that no sender domains are allowed for anti-spam policies|2|mailboxes
mdo_antiphishingpolicies|Ensure that an anti-phishing policy has been created|3|mailboxes
mdo_atpprotection|Turn on Microsoft Defender for Office 365 in SharePoint, OneDrive, and Microsoft Teams|5
mdo_autoforwardingmode|Set automatic email forwarding rules to be system controlled|1|mailboxes
mdo_blockmailforward|Ensure all forms of mail forwarding are blocked and/or disabled|5|mailboxes
mdo_bulkspamaction|Set action to take on bulk spam detection|3|mailboxes
mdo_bulkthreshold|Set the email bulk complaint level (BCL) threshold to be 6 or lower|1|mailboxes
mdo_commonattachmentsfilter|Ensure the Common Attachment Types Filter is enabled|5|mailboxes
mdo_connectionfilter|Don't add allowed IP addresses in the connection filter policy|1
mdo_enabledomainstoprotect|Enable impersonated domain protection|8|mailboxes
mdo_enablemailboxintelligence|Ensure that mailbox intelligence is enabled|8|mailboxes
mdo_highconfidencephishaction|Set action to take on high confidence phishing detection|5|mailboxes
mdo_highconfidencespamaction|Set action to take on high confidence spam detection|5|mailboxes
mdo_mailboxintelligenceprotection|Ensure that intelligence for impersonation protection is enabled|8|mailboxes
mdo_mailboxintelligenceprotectionaction|Move messages that are detected as impersonated users by mailbox intelligence|8|mailboxes
mdo_phishthresholdlevel|Set the phishing email level threshold at 2 or higher|8|mailboxes
mdo_phisspamacation|Set action to take on phishing detection|5|mailboxes
mdo_quarantineretentionperiod|Retain spam in quarantine for 30 days|1|mailboxes
mdo_recipientexternallimitperhour|Set maximum number of external recipients that a user can email per hour|1|mailboxes
mdo_recipientinternallimitperhour|Set maximum number of internal recipients that a user can send to within an hour|1|mailboxes
mdo_recipientlimitperday|Set a daily message limit|1|mailboxes
mdo_safeattachmentpolicy|Ensure Safe Attachments policy is enabled|5|mailboxes
mdo_safeattachments|Turn on Safe Attachments in block mode|8|mailboxes
mdo_safedocuments|Turn on Safe Documents for Office Clients|5
mdo_safelinksforemail|Create Safe Links policies for email messages|9|mailboxes
mdo_safelinksforOfficeApps|Ensure Safe Links for Office Applications is Enabled|5|mailboxes
mdo_similardomainssafetytips|Enable the domain impersonation safety tip|1|mailboxes
mdo_similaruserssafetytips|Enable the user impersonation safety tip|1|mailboxes
mdo_spam_notifications_only_for_admins|Ensure Exchange Online Spam Policies are set to notify administrators|3|mailboxes
mdo_spamaction|Set action to take on spam detection|5|mailboxes
mdo_targeteddomainprotectionaction|Quarantine messages that are detected from impersonated domains|6|mailboxes
mdo_targeteduserprotectionaction|Quarantine messages that are detected from impersonated users|6|mailboxes
mdo_targetedusersprotection|Enable impersonated user protection|8|mailboxes
mdo_thresholdreachedaction|Block users who reached the message limit|1|mailboxes
mdo_unusualcharacterssafetytips|Enable the user impersonation unusual characters safety tip|1|mailboxes
mdo_zapmalware|Turn on zero-hour auto purge for malware|6|mailboxes
mdo_zapphish|Create zero-hour auto purge policies for phishing messages|3|mailboxes
mdo_zapspam|Create zero-hour auto purge policies for spam messages|1|mailboxes`,
  },
  {
    service: 'MIP',
    category: 'Data',
    url: ' https://purview.microsoft.com/informationprotection?tid={tenant}',
    rank: 128,
    cost: ['Medium', 'Unknown'],
    impact: ['High', 'Unknown', null],
    threats: [[], ['Data Spillage', 'Data Exfiltration']],
    lines: `
dlp_datalossprevention|Ensure DLP policies are enabled|5
dlp_teams_policy|Ensure DLP policies are enabled for Microsoft Teams|5
mip_autosensitivitylabelspolicies|Publish Microsoft Purview Information Protection auto-labeling policies|5|users
mip_purviewlabelconsent|Extend sensitivity labeling to assets in the data map|1
mip_search_auditlog|Ensure Microsoft 365 audit log search is Enabled|5
mip_sensitivitylabelspolicies|Publish data classification policies for sensitivity labels|2|users
mip_retention_policies|Create retention policies for mail and documents|3
mip_ediscovery_holds|Review holds that are placed on mailboxes|2|mailboxes
mip_encryption_rights|Enable rights management for protected messages|4
mip_endpoint_dlp|Turn on endpoint data loss prevention|6|devices`,
  },
  {
    service: 'SPO',
    category: 'Apps',
    url: 'https://admin.microsoft.com/sharepoint?page=sharing&modern=true',
    cost: UNKNOWN,
    impact: [...UNKNOWN, 'None'],
    threats: [['Data Exfiltration', 'Account breach']],
    lines: `
spo_idle_session_timeout|Sign out inactive users in SharePoint Online|1
spo_legacy_auth|Ensure modern authentication for SharePoint applications is required|4
spo_external_sharing_managed|Ensure external content sharing is restricted|5
spo_external_user_guest_restrictions|Ensure guest users cannot share items they don't own|4
spo_domain_allow_deny|Ensure document sharing is controlled by domains with an allow or deny list|3
spo_onedrive_sync_unmanaged|Block OneDrive for Business sync from unmanaged devices|4
spo_infected_files|Ensure Office 365 SharePoint infected files are disallowed for download|5
spo_link_expiration|Ensure links that anyone can use expire|3`,
  },
  {
    service: 'MS Teams',
    category: 'Apps',
    url: 'https://admin.teams.microsoft.com/policies/meetings',
    cost: ['Low', 'low'],
    impact: ['Low', 'Moderate', 'low'],
    threats: [['Data Exfiltration', 'Account breach'], ['Malicious Insider']],
    lines: `
meeting_autoadmitusers_v1|Only invited users should be automatically admitted to Teams meetings|4
meeting_designatedpresenter_v1|Configure which users are allowed to present in Teams meetings|2
meeting_externalrequestcontrol_v1|Limit external participants from having control in a Teams meeting|2
meeting_pstnusersbypasslobby_v1|Restrict dial-in users from bypassing a meeting lobby|1
meeting_restrictanonymousjoin_v1|Restrict anonymous users from joining meetings|1
meeting_restrictanonymousstart_v1|Restrict anonymous users from starting Teams meetings|2
teams_external_access_domains|Ensure external domains are restricted in the Teams admin center|5
teams_external_file_sharing|Ensure external file sharing in Teams is enabled for only approved cloud storage services|4`,
  },
  {
    service: 'Admincenter',
    category: 'Apps',
    url: 'https://admin.microsoft.com/Adminportal/Home#/Settings/Services',
    threats: [ACCOUNT],
    lines: "admincenter_owned_apps_and_services|Ensure 'User owned apps and services' is restricted|3",
  },
  {
    service: 'FORMS',
    category: 'Apps',
    url: 'https://admin.microsoft.com/Adminportal/Home#/Settings/Services/:/Settings/L1/OfficeForms',
    threats: [ACCOUNT],
    lines: 'forms_phishing_protection|Ensure internal phishing protection for Forms is enabled|6',
  },
  {
    service: 'MCAS',
    category: 'Apps',
    url: 'https://security.microsoft.com/cloudapps/policies/management?tid={tenant}',
    tier: 'Advanced',
    rank: 75,
    cost: ['Moderate', 'low'],
    impact: ['low', 'None'],
    threats: [['Data Exfiltration', 'Malicious Insider']],
    lines: `
mcas_mda_enabled|Ensure Microsoft Defender for Cloud Apps is enabled and configured|5
McasCloudAppNotification|Create an app discovery policy to identify new and trending cloud apps in your org|3
McasCutomActivityPolicy|Create a custom activity policy to get alerts about suspicious usage patterns|2
McasFirewallLogUpload|Deploy a log collector to discover shadow IT activity|1
McasOAuthAppNotification|Create an OAuth app policy to notify you about new OAuth applications|4`,
  },
  {
    service: 'AppG',
    category: 'Apps',
    url: 'https://security.microsoft.com/cloudapps/app-governance?viewid=policies',
    cost: ['low'],
    impact: ['moderate'],
    lines: `
AppG_regulate_access_to_sensitive_data|Regulate cloud app access to sensitive data|7
AppG_unusual_activity_with_priority_account|Regulate apps with priority account consent|7`,
  },
  {
    service: 'Intune',
    category: 'Device',
    url: 'https://intune.microsoft.com/#home',
    impact: [...UNKNOWN, 'None'],
    threats: [['Account breach']],
    lines: `
intune_AV_firewall_enabled|Ensure that devices connecting have AV and a local firewall enabled|3
intune_conection_from_jail_broken_rooted_devices|Ensure that users cannot connect from devices that are jail broken or rooted|3
intune_mobile_advanced_security_configuration|Ensure mobile device management policies are set to require advanced security configurations|3
intune_mobile_complex_password_alphanumeric|Ensure that mobile devices require complex passwords (Type = Alphanumeric)|3
intune_mobile_complex_password_simple_password_blocked|Ensure that mobile devices require complex passwords (Simple Passwords = Blocked)|3
intune_mobile_device_encryption|Ensure that mobile device encryption is enabled to prevent unauthorized access to mobile data|3
intune_mobile_device_lock_after_inactivity|Ensure devices lock after a period of inactivity to prevent unauthorized access|3
intune_mobile_email_profiles_requirement|Ensure mobile device management policies are required for email profiles - iOS/iPadOS only|3
intune_mobile_minimum_password_length|Ensure that mobile devices require a minimum password length to prevent brute force attacks|3
intune_mobile_never_expires_password|Ensure that mobile devices are set to never expire passwords|3
intune_mobile_password_requirement|Ensure mobile devices require the use of a password|3
intune_mobile_password_reused_prohibited|Ensure that mobile device password reuse is prohibited|3
intune_wipe_on_multiple_signin_failures|Ensure mobile devices are set to wipe on multiple sign-in failures to prevent brute force compromise|3`,
  },
  {
    service: 'MDATP',
    category: 'Device',
    url: ' https://security.microsoft.com/security-recommendations?tid={tenant}',
    tier: 'Defense In Depth',
    rank: 40,
    cost: ['low', 'medium', 'Moderate'],
    impact: ['low', 'medium', 'Moderate'],
    threats: [['Malicious Insider', 'Elevation of Privilege'], ['Data Exfiltration'], []],
    lines: `
scid_2000|Turn on Microsoft Defender for Endpoint sensor|10|devices
scid_2001|Fix Microsoft Defender for Endpoint sensor data collection|8|devices
scid_2002|Fix Microsoft Defender for Endpoint impaired communications|8|devices
scid_2003|Turn on Tamper Protection|9|devices
scid_2004|Enable EDR in block mode|9|devices
scid_2010|Turn on Microsoft Defender Antivirus|10|devices
scid_2011|Update Microsoft Defender Antivirus definitions|9|devices
scid_2012|Turn on real-time protection|10|devices
scid_2013|Turn on PUA protection in block mode|8|devices
scid_2014|Enable scanning of removable drives during a full scan|6|devices
scid_2016|Enable cloud-delivered protection|9|devices
scid_2021|Set controlled folder access to enabled or audit mode|8|devices
scid_2030|Update Microsoft Defender for Endpoint core components|8|devices
scid_2060|Enable Microsoft Defender Credential Guard|8|devices
scid_2070|Turn on Microsoft Defender Firewall|9|devices
scid_2071|Secure Microsoft Defender Firewall domain profile|8|devices
scid_2072|Secure Microsoft Defender Firewall private profile|8|devices
scid_2073|Secure Microsoft Defender Firewall public profile|8|devices
scid_2080|Turn on Microsoft Defender SmartScreen|8|devices
scid_2090|Encrypt all BitLocker-supported drives|9|devices
scid_2091|Resume BitLocker protection on all drives|8|devices
scid_2093|Ensure BitLocker drive compatibility|7|devices
scid_2500|Block executable content from email client and webmail|9|devices
scid_2501|Block all Office applications from creating child processes|9|devices
scid_2502|Block Office applications from creating executable content|9|devices
scid_2503|Block Office applications from injecting code into other processes|9|devices
scid_2504|Block JavaScript or VBScript from launching downloaded executable content|9|devices
scid_2505|Block execution of potentially obfuscated scripts|9|devices
scid_2506|Block Win32 API calls from Office macros|9|devices
scid_2507|Block executable files from running unless they meet a prevalence, age, or trusted list criterion|9|devices
scid_2508|Use advanced protection against ransomware|9|devices
scid_2509|Block credential stealing from the Windows local security authority subsystem|9|devices
scid_2510|Block process creations originating from PSExec and WMI commands|9|devices
scid_2511|Block untrusted and unsigned processes that run from USB|9|devices
scid_2512|Block Office communication application from creating child processes|9|devices
scid_2513|Block Adobe Reader from creating child processes|9|devices
scid_2514|Block persistence through WMI event subscription|9|devices
scid_2515|Block abuse of exploited vulnerable signed drivers|9|devices
scid_1|Enforce password history|6|devices
scid_7|Set 'Minimum password length' to '14 or more characters'|7|devices
scid_12|Set 'Account lockout threshold' to 1-10 invalid login attempts|6|devices
scid_28|Disable Anonymous enumeration of shares|7|devices
scid_30|Set LAN Manager authentication level|8|devices
scid_35|Disable 'Always install with elevated privileges'|8|devices
scid_46|Disable 'Autoplay for non-volume devices'|6|devices
scid_51|Disable merging of local Microsoft Defender Firewall rules|5|devices
scid_58|Disable 'Installation and configuration of Network Bridge'|5|devices
scid_61|Enable 'Local Security Authority (LSA) protection'|8|devices
scid_68|Disable SMBv1 client driver|8|devices
scid_72|Disable 'Allow Basic authentication' for WinRM Client|6|devices
scid_84|Enable 'Require additional authentication at startup'|6|devices
scid_93|Disable 'Insecure guest logons' in SMB|7|devices`,
  },
];

/** The services of Defender for Cloud Apps, each with the settings it is asked for. */
const CONNECTED = [
  'Atlassian',
  'CitrixSF',
  'GitHub',
  'Google',
  'Zoom',
  'Okta',
  'SF',
  'SNOW',
  'Zendesk',
  'DocuSign',
  'Dropbox',
  'NetDocuments',
  'Workplace',
  'Box',
  'Slack',
  'Webex',
  'Egnyte',
  'Smartsheet',
];
const SETTINGS = [
  ['EnableTwoFactorAuth', 'Enable multi-factor authentication (MFA)', 7],
  ['ForceSSO', 'Enable single sign on (SSO)', 7],
  ['InactiveTimeoutMins', 'Enable session timeout for web users', 6],
  ['EnhancedPassword', 'Enhance password requirements', 4],
  ['PasswordExpires', 'Password expiry requirements', 4],
  ['MinimumLength', 'Enable password minimum length', 4],
  ['LoginFailMaxAttempts', "Enhance 'login maximum attempts' - Number of attempts", 6],
  ['LoginFailLockoutSecs', "Enhance 'login maximum attempts' - Lockout timer", 6],
  ['IPallowList', 'Enforce IP allow list configuration', 5],
  ['lockSessionsToDomain', 'Lock sessions to the domain in which they were first used', 7],
  ['forceRelogin', 'Force relogin after an administrator signed in as a user', 3],
  ['BlockPublicLinks', 'Block links that anyone can open', 4],
  ['OutsideCollaborators', 'Restrict who may invite outside collaborators', 4],
  ['MobileAccess', 'Mobile app security - App access requirement', 6],
  ['AuditLog', 'Keep the audit log for at least a year', 3],
  ['RequireHttpOnly', 'Require HttpOnly attribute', 3],
  ['ContentSniffing', 'Enable Content Sniffing protection', 3],
  ['CsrfProtection', 'Enable anti-CSRF token', 6],
] as const;
/** The apps with a common first title. All others have titles of their own. */
const SHARED_TITLES = new Set(['Atlassian', 'CitrixSF', 'GitHub', 'Google']);

function connectedApps(): CatalogueEntry[] {
  // The tail of the catalogue: setting by setting, so that a shorter catalogue still has every app.
  return SETTINGS.flatMap(([setting, title, maximum]) =>
    CONNECTED.map((app) => {
      const id = `MDA_${app}_${setting}`;
      const random = randomOf(id);
      return {
        id,
        title: SHARED_TITLES.has(app) && setting === 'EnableTwoFactorAuth' ? title : `${title} in ${app}`,
        maximum,
        service: `MDA_${app}`,
        category: 'Apps' as const,
        tier: 'Core' as const,
        rank: 10,
        cost: 'Unknown',
        impact: random.pick(['Unknown', 'Unknown', 'None', null]),
        threats: random.pick([
          ACCOUNT,
          ['Account breach', 'Data Exfiltration', 'Data Deletion', 'Malicious Insider'],
          ['Password cracking', 'Account breach'],
        ]),
        of: null,
        counts: false,
        url: `https://security.microsoft.com/cloudapps/connected-apps?app=${app}`,
      };
    }),
  );
}

function ofFamily(family: Family): CatalogueEntry[] {
  return family.lines
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', title = '', maximum, of] = line.split('|');
      const random = randomOf(id);
      return {
        id,
        title,
        maximum: Number(maximum),
        service: family.service,
        category: family.category,
        tier: family.tier ?? 'Core',
        rank: family.rank ?? 10,
        cost: random.pick(family.cost ?? ['Unknown']),
        impact: random.pick(family.impact ?? UNKNOWN),
        threats: random.pick(family.threats ?? [[]]),
        of: (of === 'number' ? null : (of ?? null)) as CatalogueEntry['of'],
        counts: of === 'number',
        url: family.url,
      };
    });
}

const ALL: readonly CatalogueEntry[] = [...FAMILIES.flatMap(ofFamily), ...connectedApps()];

/** The first `size` recommendations; Microsoft's own products come first, connected apps make the tail. */
export function catalogue(size: number): readonly CatalogueEntry[] {
  if (size > ALL.length)
    throw new RangeError(`The catalogue has ${ALL.length} recommendations, ${size} were asked for`);
  return ALL.slice(0, size);
}
