// Unpacks the browser into the folder for scratch files, unless it is there, and says where it is.
import chromium from '@sparticuz/chromium';

console.log(await chromium.executablePath());
