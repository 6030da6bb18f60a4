"""
Known vulnerabilities of what is installed
==========================================

Runs pip-audit over a folder of packages, and says what it could and could not find
out: ``python tests/audit.py .venv/lib/python3.11/site-packages``.  pip-audit asks the
package index, and passes over in silence what that knows nothing of, as a mirror does.

Exit status: 0, no vulnerability is known, of what could be looked up; 1, there is one, or
with ``--required`` something could not be looked up; 2, pip-audit is not installed.
"""
import argparse
import importlib.util
import json
import subprocess
import sys

OURS = 'paste-sessioncookie'

#: vulnerability -> why it is none here.  What is fixed goes from the table
ACCEPTED: dict[str, str] = {}

BANNER = '*' * 78


def report(found):
    """The known vulnerabilities, and the packages that were not looked up, a line each,
    and how many were; ``found`` is the JSON that pip-audit writes."""
    packages = [each for each in found['dependencies'] if each['name'] != OURS]
    skipped = [f'{each["name"]}: {each["skip_reason"]}' for each in packages
               if 'skip_reason' in each]
    known = [f'{each["name"]} {each["version"]}: {fault["id"]}, fixed in '
             f'{", ".join(fault["fix_versions"]) or "no version"}'
             for each in packages for fault in each.get('vulns', ())
             if not {fault['id'], *fault['aliases']} & ACCEPTED.keys()]
    return known, skipped, len(packages) - len(skipped)


def verdict(answer, errors, required):
    """The text to print, and the exit status, of what pip-audit has written."""
    try:
        known, skipped, asked = report(json.loads(answer))
    except ValueError:
        return not_audited('any package', errors.strip().rpartition('\n')[2]), int(required)
    lines = [f'{asked} packages were looked up']
    if skipped:
        lines.append(not_audited(f'{len(skipped)} packages', skipped[0]))
    lines += [*(f'accepted: {fault}: {why}' for fault, why in ACCEPTED.items()), *known]
    return '\n'.join(lines), int(bool(known or required and skipped))


def not_audited(what, reason):
    return (f'{BANNER}\nNOT AUDITED: nothing is known of {what}, which could not be looked '
            'up.\n'
            'Run this where PyPI itself answers, at the latest before a release.\n'
            f'{reason}\n{BANNER}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('folder', help='a folder of packages (site-packages)')
    parser.add_argument('--required', action='store_true',
                        help='fail for what could not be looked up')
    options = parser.parse_args()
    if importlib.util.find_spec('pip_audit') is None:
        print('pip-audit is not installed: pip install pip-audit', file=sys.stderr)
        return 2
    run = subprocess.run(
        [sys.executable, '-m', 'pip_audit', '--path', options.folder, '--format', 'json',
         '--vulnerability-service', 'pypi', '--progress-spinner', 'off'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    text, status = verdict(run.stdout, run.stderr, options.required)
    print(text)
    return status


if __name__ == '__main__':
    sys.exit(main())
